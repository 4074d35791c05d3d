"""Who infected whom: a seeded branching process, without persons or places.

Offspring are negative binomial (R 1.9, k 0.4) until control on day 18 and R 0.6 afterwards; the generation
time is gamma (mean 5, sd 2), the incubation log-normal (Lauer et al. 2020, doi:10.7326/M20-0504), 20 % stay
without symptoms. Times are days since the first infection.
"""

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

R_FREE, R_CONTROLLED, DISPERSION = 1.9, 0.6, 0.4
CONTROL_DAY = 18.0
GENERATION_SHAPE, GENERATION_SCALE = 6.25, 0.8
INCUBATION_MU, INCUBATION_SIGMA, LONGEST_INCUBATION = 1.621, 0.418, 13.0
ASYMPTOMATIC = 0.2
REPORT_SHAPE, REPORT_SCALE = 3.0, 1.0
INFECTIOUS_BEFORE = 3.0

SETTINGS = (
    "household",
    "work",
    "meal",
    "market",
    "entertainment",
    "school",
    "health",
    "transport",
    "community",
)
SETTING_WEIGHTS = (0.27, 0.18, 0.14, 0.09, 0.08, 0.07, 0.05, 0.06, 0.06)


@dataclass(frozen=True, slots=True)
class Infection:
    """One infected person. `reference` is the onset, or the first positive sample of one without symptoms."""

    number: int
    infector: int | None
    setting: str
    infected: float
    reference: float
    reported: float
    isolated: float
    is_asymptomatic: bool


def spread(rng: np.random.Generator, *, days: int, most: int = 2_000) -> list[Infection]:
    """The infections found by the given day, in the order they were reported, numbered from 0.

    An infection still unreported then is left out with all that follow from it.
    """
    first = _infection(rng, 0, None, "community", 0.0)
    waiting = deque([first])
    found: list[Infection] = []
    made = 1
    while waiting and made < most:
        infector = waiting.popleft()
        if infector.reported >= days:
            continue
        found.append(infector)
        reproduction = R_FREE if infector.infected < CONTROL_DAY else R_CONTROLLED
        for _ in range(_offspring(rng, reproduction)):
            moment = _moment_of_infection(rng, infector)
            setting = str(rng.choice(SETTINGS, p=SETTING_WEIGHTS))
            waiting.append(_infection(rng, made, infector.number, setting, moment))
            made += 1
    return _renumbered(found)


def _offspring(rng: np.random.Generator, reproduction: float) -> int:
    return int(rng.negative_binomial(DISPERSION, DISPERSION / (DISPERSION + reproduction)))


def _moment_of_infection(rng: np.random.Generator, infector: Infection) -> float:
    """When the infector met the next one: in the infectious window and before the report."""
    moment = infector.infected + float(rng.gamma(GENERATION_SHAPE, GENERATION_SCALE))
    return min(max(moment, infector.reference - INFECTIOUS_BEFORE, infector.infected + 1), infector.reported)


def _infection(
    rng: np.random.Generator, number: int, infector: int | None, setting: str, infected: float
) -> Infection:
    incubation = min(float(rng.lognormal(INCUBATION_MU, INCUBATION_SIGMA)), LONGEST_INCUBATION)
    reference = infected + max(incubation, 1.5)
    reported = reference + float(rng.gamma(REPORT_SHAPE, REPORT_SCALE))
    isolated = reported + float(rng.uniform(0.05, 0.9))
    is_asymptomatic = bool(rng.random() < ASYMPTOMATIC)
    return Infection(number, infector, setting, infected, reference, reported, isolated, is_asymptomatic)


def _renumbered(found: list[Infection]) -> list[Infection]:
    ordered = sorted(found, key=lambda infection: infection.reported)
    numbers = {infection.number: place for place, infection in enumerate(ordered)}
    return [
        replace(
            infection,
            number=numbers[infection.number],
            infector=None if infection.infector is None else numbers[infection.infector],
        )
        for infection in ordered
    ]
