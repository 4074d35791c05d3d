from tools import messages


def test_every_text_has_its_chinese_and_every_catalogue_is_compiled() -> None:
    assert messages.untranslated() == []
    assert messages.stale() == []


def test_texts_are_found_in_tags_arguments_and_blocks() -> None:
    source = """{% translate "One" %}{% icon 'x' %}{% empty _("Two") %}
    {% blocktranslate trimmed count n=n %}
      {{ n }} three
    {% plural %}{{ n }} threes{% endblocktranslate %}"""
    assert list(messages.in_template(source)) == ["One", "Two", "%(n)s three"]


def test_texts_are_found_in_python() -> None:
    source = 'a = _("One")\nb = ngettext("two", "twos", n)\nc = pgettext("nav", "Three")\nd = other("no")'
    assert list(messages.in_python(source)) == ["One", "two", "Three"]
