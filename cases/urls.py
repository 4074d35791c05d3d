from django.urls import path

from cases.views import detail, editing, listing, opening, purposes, registers, revealing, visits, work

app_name = "cases"
urlpatterns = [
    path("", work.work, name="work"),
    path("cases/", listing.listing, name="list"),
    path("cases/open/", opening.open_case, name="open"),
    path("cases/go/", listing.go, name="go"),
    path("cases/<uuid:case_id>/", detail.detail, name="detail"),
    path("cases/<uuid:case_id>/state/", detail.move, name="move"),
    path("cases/<uuid:case_id>/purpose/", purposes.purpose, name="purpose"),
    path("cases/<uuid:case_id>/purpose/<slug:after>/", purposes.purpose, name="purpose_for"),
    path("cases/<uuid:case_id>/reveal/<slug:name>/", revealing.reveal_value, name="reveal"),
    path("cases/<uuid:case_id>/edit/<slug:code>/", editing.edit, name="edit"),
    path("cases/<uuid:case_id>/movements/", visits.movements_page, name="movements"),
    path("cases/<uuid:case_id>/movements/show/", visits.show, name="show_movements"),
    path("cases/<uuid:case_id>/movements/add/", visits.add, name="add_visit"),
    path("cases/<uuid:case_id>/movements/<uuid:visit_id>/", visits.edit, name="visit"),
    path("cases/<uuid:case_id>/movements/<uuid:visit_id>/withdraw/", visits.withdraw, name="withdraw_visit"),
    path("outbreaks/", registers.outbreaks, name="outbreaks"),
    path("outbreaks/open/", registers.open_outbreak, name="open_outbreak"),
    path("outbreaks/<uuid:outbreak_id>/", registers.outbreak, name="outbreak"),
    path("dictionary/", registers.data_dictionary, name="dictionary"),
]
