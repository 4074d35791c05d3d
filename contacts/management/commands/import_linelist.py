"""Imports a line list file into an outbreak, or tells what an import would do."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, no_translations
from django.db import transaction
from django.utils import timezone

from access.actions import ledger_actor
from access.actor import acting_as, acting_as_role
from access.models import Organisation, User
from access.roles import PgRole, Role
from audit import trail
from cases import actions
from cases.linelist import importing, kinds
from cases.linelist.importing import Plan
from cases.linelist.problems import Problem, Unusable
from cases.models import DiseaseProfile, ImportRun, Outbreak
from contacts.linelist.profiles import PROFILES, links_of

SHOWN_PROBLEMS = 20
REFUSED = 1
UNUSABLE = 2

EPILOG = """
The rows that can be taken in go in; the others are listed with row, column and reason, never with a value.
The same file twice makes no duplicates, and leaves alone what people have corrected since.

Exit code: 0 imported (rows that were refused are listed), 1 the person, the outbreak or the district is unknown,
or the person may not do this, 2 nothing of the file could be imported.

Example: import_linelist cases.csv --profile mers-korea --outbreak MERS-2015 --links links.csv --dry-run
"""


class Command(BaseCommand):
    help = "Imports a line list (CSV or XLSX) into an outbreak, in the name of one person."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(
            prog_name, subcommand, epilog=EPILOG, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--profile", required=True, help=f"one of: {', '.join(PROFILES)}")
        parser.add_argument("--outbreak", required=True, metavar="CODE")
        parser.add_argument("--dry-run", action="store_true", help="tell what would happen and write nothing")
        parser.add_argument("--by", metavar="USERNAME", help="who imports; default: who opened the outbreak")
        parser.add_argument("--links", type=Path, metavar="FILE", help="who infected whom, after the cases")
        parser.add_argument("--district", metavar="CODE", help="where the cases belong (division code)")
        parser.add_argument("--open-outbreak", metavar="NAME", help="open the outbreak under this name first")
        parser.add_argument("--disease", metavar="CODE", help="its disease, with --open-outbreak")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._import(options)
        except Unusable as error:
            place = f" (row {error.problem.row}, column {error.problem.column})" if error.problem.row else ""
            raise CommandError(f"{error}{place}", returncode=UNUSABLE) from None
        except PermissionDenied:
            raise CommandError(
                "this person may not import a line list into this district", returncode=REFUSED
            ) from None

    def _import(self, options: dict[str, Any]) -> None:
        files = self._files(options)
        with acting_as_role(PgRole.NONE), transaction.atomic():
            by = self._named(options["by"]) if options["by"] else None
            district = self._district(options["district"]) if options["district"] else None
        by, outbreak = self._outbreak(options, by)
        self._require_its_disease(options["profile"], outbreak)
        if district is None:
            with acting_as(by), transaction.atomic():
                district = importing.default_district(outbreak, by)
        self.stdout.write(
            f"{outbreak.code}, district {district.code} {district.area_en}, in the name of {by.username}"
        )
        planned: frozenset[str] = frozenset()
        for profile, path in files:
            self.stdout.write(f"\n{path.name} ({profile})")
            content = self._read(path)
            if options["dry_run"]:
                planned |= self._preview(content, profile, outbreak, by, district, planned)
            else:
                self._run(content, profile, outbreak, by, district)

    def _require_its_disease(self, name: str, outbreak: Outbreak) -> None:
        wanted, disease = PROFILES[name], outbreak.disease.code
        if not kinds.fits(wanted, outbreak):
            raise CommandError(
                f"{name} is of {wanted.disease}, {outbreak.code} of {disease}", returncode=REFUSED
            )

    def _files(self, options: dict[str, Any]) -> list[tuple[str, Path]]:
        profile = PROFILES.get(options["profile"])
        if profile is None:
            raise CommandError(
                f"no profile {options['profile']}; known: {', '.join(PROFILES)}", returncode=UNUSABLE
            )
        files = [(profile.name, options["file"])]
        if options["links"]:
            links = links_of(profile)
            if links is None:
                raise CommandError(f"{profile.name} has no links beside it", returncode=UNUSABLE)
            files.append((links.name, options["links"]))
        return files

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}", returncode=UNUSABLE) from None

    def _named(self, username: str) -> User:
        by = User.objects.present().select_related("organisation").filter(username=username).first()
        if by is None:
            raise CommandError(f"no active account {username}", returncode=REFUSED)
        return self._allowed(by)

    def _allowed(self, by: User) -> User:
        """The person, if the right is theirs: nothing is read in the name of somebody who lacks it."""
        if not by.may(importing.PERMISSION):
            raise CommandError(f"{by.username} may not import line lists", returncode=REFUSED)
        return by

    def _district(self, code: str) -> Organisation:
        found = Organisation.objects.select_related("parent__parent").filter(code=code).first()
        if found is None or found.level != Organisation.Level.DISTRICT:
            raise CommandError(f"{code} is no district", returncode=REFUSED)
        return found

    def _outbreak(self, options: dict[str, Any], by: User | None) -> tuple[User, Outbreak]:
        """The outbreak and who acts. Outbreaks are read in a person's role: nobody else may."""
        reader = by or self._any_supervisor()
        with acting_as(reader), transaction.atomic():
            known = Outbreak.objects.select_related("organisation", "disease")
            outbreak = known.filter(code=options["outbreak"]).first()
            codes = [] if outbreak else list(known.values_list("code", flat=True))
            if outbreak is not None:
                people = User.objects.select_related("organisation")
                return by or self._allowed(people.get(pk=outbreak.opened_by_id)), outbreak
        if options["open_outbreak"]:
            return reader, self._open(options, reader)
        raise CommandError(
            f"no outbreak {options['outbreak']}; there are: {', '.join(codes) or 'none'}. "
            'To open it: --open-outbreak "NAME" --disease CODE',
            returncode=REFUSED,
        )

    def _any_supervisor(self) -> User:
        with acting_as_role(PgRole.NONE), transaction.atomic():
            people = User.objects.present().select_related("organisation").filter(role=Role.SUPERVISOR)
            found = people.order_by("created_at").first()
        if found is None:
            raise CommandError("there is no supervisor; name who imports with --by", returncode=REFUSED)
        return found

    def _open(self, options: dict[str, Any], by: User) -> Outbreak:
        if not by.may("cases.open_outbreak"):
            raise PermissionDenied
        with acting_as(by), trail.audit_job("import_linelist", ledger_actor(by)):
            if options["dry_run"]:
                raise CommandError("a dry run opens no outbreak; open it first", returncode=UNUSABLE)
            diseases = DiseaseProfile.objects.all()
            disease = diseases.filter(code=options["disease"] or "").first()
            if disease is None:
                known = ", ".join(diseases.values_list("code", flat=True))
                raise CommandError(f"--disease must be one of: {known}", returncode=UNUSABLE)
            values = {
                "code": options["outbreak"],
                "name": options["open_outbreak"],
                "disease": disease,
                "started_on": timezone.localdate(),
            }
            outbreak = actions.open_outbreak(values, by=by)
        self.stdout.write(f"opened outbreak {outbreak.code}")
        return outbreak

    def _preview(  # noqa: PLR0917 (one call, in the order of the sentence)
        self,
        content: bytes,
        profile: str,
        outbreak: Outbreak,
        by: User,
        district: Organisation,
        planned: frozenset[str],
    ) -> frozenset[str]:
        with acting_as(by), trail.audit_job("import_linelist", ledger_actor(by)):
            plan = importing.preview(content, profile, outbreak, by=by, district=district, expected=planned)
        self._show_plan(plan)
        return frozenset(row.record.source_id for row in plan.rows)

    def _show_plan(self, plan: Plan) -> None:
        self._table(plan.counts)
        for column, reason in plan.left_out.items():
            self.stdout.write(f"  column not imported: {column}: {reason}")
        for row in [row for row in plan.rows if row.changed and row.state == "changed"][:SHOWN_PROBLEMS]:
            self.stdout.write(f"  row {row.record.number} changed: {', '.join(sorted(row.changed))}")
        self._list(plan.problems, len(plan.problems))
        self.stdout.write("  dry run: nothing was written")

    def _run(
        self, content: bytes, profile: str, outbreak: Outbreak, by: User, district: Organisation
    ) -> None:
        with acting_as(by), trail.audit_job("import_linelist", ledger_actor(by)):
            run = importing.start_import(
                content, profile, outbreak, by, district=district, in_background=False
            )
        run = importing.run_import(run.pk, by)
        self._table(importing.counts_of(run))
        with acting_as(by), transaction.atomic():
            total, issues = run.issues.count(), list(run.issues.all()[:SHOWN_PROBLEMS])
        self._list([Problem(issue.row_number, issue.column, issue.reason) for issue in issues], total)
        if run.status != ImportRun.Status.DONE:
            raise CommandError(f"the import stopped: {run.failure}", returncode=UNUSABLE)

    def _table(self, counts: dict[str, int]) -> None:
        self.stdout.write("  " + "".join(f"{name:>10}" for name in counts))
        self.stdout.write("  " + "".join(f"{count:>10}" for count in counts.values()))

    def _list(self, problems: Sequence[Problem], total: int) -> None:
        for problem in problems[:SHOWN_PROBLEMS]:
            where = f"row {problem.row}" + (f", column {problem.column}" if problem.column else "")
            self.stdout.write(f"  refused: {where}: {problem.text}")
        if total > SHOWN_PROBLEMS:
            self.stdout.write(f"  … and {total - SHOWN_PROBLEMS} more")
