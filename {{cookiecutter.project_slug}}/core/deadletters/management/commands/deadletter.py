"""For the night: what failed for good, and `deadletter replay` to send it again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from kombu.exceptions import OperationalError as BrokerError

from core.deadletters.models import DeadLetter
from core.deadletters.replaying import NotReplayableError, replay


class Command(BaseCommand):
    """`deadletter list`, `deadletter show ID …`, `deadletter replay ID …`; `--task NAME` picks."""

    help = "List, show or replay messages that failed for good."

    def add_arguments(self, parser: CommandParser) -> None:
        """A verb, and which letters."""
        parser.add_argument("verb", choices=["list", "show", "replay"])
        parser.add_argument("ids", nargs="*", type=int, metavar="ID")
        parser.add_argument("--task", help="those of one task that were not replayed yet")

    def handle(self, *args: Any, verb: str, ids: list[int], task: str | None, **_: Any) -> None:
        """Raises `CommandError` for ids that do not exist and for letters that cannot be sent."""
        letters = DeadLetter.objects.order_by("pk")
        if ids:
            letters = letters.filter(pk__in=ids)
            if missing := set(ids) - set(letters.values_list("pk", flat=True)):
                raise CommandError(f"No dead letter has the id {', '.join(map(str, missing))}.")
        else:
            letters = letters.filter(replayed_at=None)
        if task:
            letters = letters.filter(task=task)
        if verb != "list" and not ids and not task:
            raise CommandError(f"Say which: deadletter {verb} ID …, or --task NAME.")
        found = list(letters)
        getattr(self, f"_{verb}")(found)

    def _list(self, letters: list[DeadLetter]) -> None:
        for letter in letters:
            self.stdout.write(
                f"{letter.pk}\t{letter.created_at:%Y-%m-%d %H:%M:%S}\t{letter.kind}\t"
                f"{letter.task or '-'}\t{letter.reason}"
            )
        self.stdout.write(f"{len(letters)} dead letters.")

    def _show(self, letters: list[DeadLetter]) -> None:
        for letter in letters:
            for field in DeadLetter._meta.fields:
                self.stdout.write(f"{field.name}: {getattr(letter, field.name)}")
            self.stdout.write("")

    def _replay(self, letters: list[DeadLetter]) -> None:
        refused = []
        for letter in letters:
            try:
                replay(letter)
            except NotReplayableError as error:
                refused.append(str(error))
            except BrokerError as error:
                raise CommandError(
                    f"The broker does not answer ({error}): {letter} and those after it stay."
                ) from error
        self.stdout.write(f"{len(letters) - len(refused)} sent again.")
        if refused:
            raise CommandError("\n".join(refused))
