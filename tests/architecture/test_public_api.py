"""The public surface as text: a change of it is seen in the diff, and is a line in CHANGELOG.md.

COINTRAIL_REFRESH=1 pytest tests/architecture/test_public_api.py    writes it.
"""

import dataclasses
import inspect
import os
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

import cointrail
from cointrail import config, errors
from cointrail.ledger import schema
from cointrail.service import answers, maintenance
from cointrail.service.addresses import History
from cointrail.service.ledgers import Ledger

SNAPSHOT = Path(__file__).with_name("public_api.txt")


def surface() -> Iterator[str]:
    """One line a name, its parameters or type."""
    yield f"cointrail: {', '.join(sorted(cointrail.__all__))}"
    yield f"cointrail.open{inspect.signature(cointrail.open)}"
    for name, member in sorted(vars(Ledger).items()):
        if not name.startswith("_"):
            yield f"Ledger.{name}{inspect.signature(member)}"
    for kind in [*_dataclasses(answers), *_dataclasses(maintenance), History]:
        hints = typing.get_type_hints(kind)
        for field in dataclasses.fields(kind):
            if not field.name.startswith("_"):
                yield f"{kind.__name__}.{field.name}: {inspect.formatannotation(hints[field.name])}"
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.CointrailError):
            yield f"{kind.__name__}({kind.__base__.__name__}): {kind.code} {kind.exit_code} {kind.http_status}"
    for setting in config.SETTINGS:
        yield f"setting {setting.name}: {setting.variable}{' (file)' if setting.in_file else ''}"
    yield f"store format: {schema.FORMAT}"


def _dataclasses(module: object) -> list[type]:
    found = [each for each in vars(module).values() if isinstance(each, type) and dataclasses.is_dataclass(each)]
    return [each for each in found if each.__module__ == module.__name__]


def test_the_public_surface_is_the_one_on_record():
    text = "\n".join(surface()) + "\n"
    if os.environ.get("COINTRAIL_REFRESH"):
        SNAPSHOT.write_text(text, "utf-8")
        pytest.skip("snapshot rewritten")
    assert text.splitlines() == SNAPSHOT.read_text("utf-8").splitlines()


def test_answers_are_frozen_plain_values():
    for kind in [*_dataclasses(answers), *_dataclasses(maintenance)]:
        assert kind.__dataclass_params__.frozen, kind
        assert "__slots__" in vars(kind), kind
        assert kind.__doc__


def test_errors_are_one_tree_with_one_code_each():
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.CointrailError)
    ]
    codes = [kind.code for kind in kinds]
    assert len(set(codes)) == len(codes)
    table = dict.fromkeys(range(9), 0) | {130: 0}
    for kind in kinds:
        assert kind.exit_code in table
        assert kind.__name__ in (errors.__doc__ or "")
