"""Profiles of files that hold transmission links between the cases of a line list."""

from collections.abc import Mapping

from cases.linelist import parsers
from cases.linelist.parsers import Value
from cases.linelist.profiles import CASE_PROFILES, DERIVED, Column, Profile


def _not_itself(values: Mapping[str, Value]) -> list[tuple[str, str]]:
    return [("to", "self_link")] if values["infector_id"] == values["infectee_id"] else []


MERS_KOREA_LINKS = Profile(
    name="mers-korea-links",
    title="MERS, Republic of Korea 2015 (R package outbreaks): who infected whom",
    family="mers-korea",
    disease="mers",
    columns=(
        Column("from", "infector_id", parsers.text(40), required=True),
        Column("to", "infectee_id", parsers.text(40), required=True),
        Column(
            "exposure",
            "setting",
            parsers.word(
                {
                    "Hospital room": "health",
                    "Emergency room": "health",
                    "Visit hospital": "health",
                    "Contact with HCW": "health",
                    "Family member": "household",
                }
            ),
        ),
    ),
    fixed={"certainty": "2", "evidence": "named"},
    left_out={"diff_dt_onset": DERIVED},
    check=_not_itself,
)

EBOLA_SIM_LINKS = Profile(
    name="ebola-sim-links",
    title="Simulated Ebola outbreak (R package outbreaks): who infected whom",
    family="ebola-sim",
    disease="ebola",
    columns=(
        Column("infector", "infector_id", parsers.text(40), required=True),
        Column("case_id", "infectee_id", parsers.text(40), required=True),
        Column("source", "setting", parsers.word({"other": "unknown", "funeral": "community"})),
    ),
    fixed={"certainty": "2", "evidence": "named"},
    check=_not_itself,
)

LINK_PROFILES: dict[str, Profile] = {profile.name: profile for profile in (MERS_KOREA_LINKS, EBOLA_SIM_LINKS)}
PROFILES: dict[str, Profile] = CASE_PROFILES | LINK_PROFILES


def links_of(profile: Profile) -> Profile | None:
    """The links profile that goes with a case profile."""
    return LINK_PROFILES.get(f"{profile.name}-links")
