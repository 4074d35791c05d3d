"""Outbreaks, cases, visits, places and the runs that import line lists."""

from cases.models.case import Case, CaseQuerySet
from cases.models.imports import ImportedRow, ImportFile, ImportRowIssue, ImportRun
from cases.models.outbreaks import CaseCounter, DiseaseProfile, Outbreak
from cases.models.visits import Place, Visit, VisitQuerySet

__all__ = [
    "Case",
    "CaseCounter",
    "CaseQuerySet",
    "DiseaseProfile",
    "ImportFile",
    "ImportRowIssue",
    "ImportRun",
    "ImportedRow",
    "Outbreak",
    "Place",
    "Visit",
    "VisitQuerySet",
]
