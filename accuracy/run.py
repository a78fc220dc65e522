"""`make accuracy`: measure the error rates of all rules on worlds whose truth is known, and on public CoinJoins.

python accuracy/run.py [--scale standard] [--seeds 1 2 3] [--check] [--only roles]

Writes docs/accuracy.md, the table in the package, the models, the picture, and the figures of the model's method page.
With --only roles it measures deposit
addresses, segments and service-like behaviour alone, and puts them into the page and the table that are there.
Equal options give equal files. With --check it ends with 5 if a target is not reached.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from book import Book
from change_rows import change_rows
from cluster_rows import level_rows, link_rows
from cointrail.cluster.accuracy import FORMAT
from cointrail.cluster.forest.view import Forest
from cointrail.cluster.learned.edges import model_edges
from cointrail.cluster.learned.model import RULE, VERSION
from cointrail.cluster.learned.train import Shape
from cointrail.ledger.reader import Reader
from cointrail.version import VERSION as PROGRAM_VERSION
from gate_rows import gate_rows
from learning import INDEPENDENT, Learned, Material, gather, learn
from page import accuracy_page, model_section, put_section
from picture import draw
from real import Set, real_rows
from roles_learning import Units, as_written, model_text, train_services, units_of
from roles_page import RULES as ROLE_RULES
from roles_page import put_roles, roles_section
from roles_rows import Matrices, like_rows, role_rows
from roles_truth import read_roles
from targets import Target, role_targets, targets
from truth import read_truth
from worlds import HOLDOUT, World, worlds_of

ROOT = Path(__file__).resolve().parent.parent
_QUICK = Shape(trees=12, depth=7)
_TABLE, _PAGE, _ROLE_MODEL = (
    "src/cointrail/cluster/accuracy.json", "docs/accuracy.md", "src/cointrail/profile/roles/model.json",
)  # fmt: skip
_SMALL_SEEDS = [1, 2, 3]
"""Roles are learned and measured on small worlds too: a score must not know how large an economy is."""


def _options() -> argparse.Namespace:
    data = Path(os.environ.get("COINTRAIL_DATA") or ROOT.parent / "shared" / "data")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", default="small", choices=("small", "standard", "large"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="a world of each kind for each")
    parser.add_argument("--work", type=Path, default=ROOT / ".bench" / "accuracy", help="worlds, kept between runs")
    parser.add_argument("--real", type=Path, default=data / "coinjoin", help="public CoinJoins")
    parser.add_argument("--out", type=Path, default=ROOT, help="a copy of the repository's folders, to write into")
    parser.add_argument("--quick", action="store_true", help="one small seed and a small forest, for tests")
    parser.add_argument("--only", choices=("roles",), help="measure these alone")
    parser.add_argument("--check", action="store_true", help="end with 5 if a target is not reached")
    return parser.parse_args()


def _measure(worlds: list[World], real: Path, models: Path, shape: Shape) -> tuple[Book, list[Learned], list[Set]]:
    book, material = Book(), Material()
    for world in worlds:
        print(f"learning from {world.name} ...", file=sys.stderr, flush=True)
        with Reader(world.ledger) as reader:
            gather(material, world, reader, read_truth(world.folder, reader))
    learned = learn(material, models, worlds, shape)
    chosen = next(each.model for each in learned if each.labels == INDEPENDENT)
    for world in worlds:
        print(f"measuring {world.name} ...", file=sys.stderr, flush=True)
        with Reader(world.ledger) as reader:
            truth, forest = read_truth(world.folder, reader), Forest(reader)
            change_rows(book, world, reader, truth)
            gate_rows(book, world, reader, truth)
            link_rows(book, world, reader, truth)
            level_rows(book, world, forest, truth, model_edges(reader, forest, chosen))
    _model_rows(book, learned)
    return book, learned, real_rows(book, real)


def _measure_roles(worlds: list[World], book: Book) -> tuple[str, Matrices]:
    """What the model of service-like behaviour was trained to, as its file, and the matrices; rows go into the book."""
    units: list[Units] = []
    matrices = Matrices()
    for world in worlds:
        print(f"measuring roles in {world.name} ...", file=sys.stderr, flush=True)
        with Reader(world.ledger) as reader:
            truth = read_truth(world.folder, reader)
            roles = read_roles(world.folder, reader, truth)
            role_rows(book, matrices, world, reader, truth, roles)
            units.append(units_of(world, reader, Forest(reader), truth, roles))
    document = train_services(units)
    model = as_written(document)
    for each in units:
        like_rows(book, matrices, each, model)
    return model_text(document), matrices


def _put_rows(table: str, book: Book) -> str:
    """A table with its rows about roles replaced."""
    document = json.loads(table)
    kept = [row for row in document["rows"] if row["rule"] not in ROLE_RULES]
    rows = {"rows": kept + book.document()["rows"], "figures": document["figures"]}
    return _lines({name: value for name, value in document.items() if name not in rows}, rows)


def _model_rows(book: Book, learned: list[Learned]) -> None:
    """The model trained with independent truth is the rule; the other one is told apart by its strata."""
    for each in learned:
        for name, judged in each.tests.items():
            models, _, labels = name.partition(", ")
            for stratum, (named, wrong, wanted) in judged.named.items():
                words = stratum if stratum == "all" else f"type {stratum}"
                if each.labels != INDEPENDENT:
                    words = f"{each.labels} model, {labels}: {words}"
                book.add(RULE, models, words, named, wrong, version=VERSION, found=named - wrong, wanted=wanted)


def _table(book: Book, worlds: list[World], sets: list[Set], learned: list[Learned], command: str) -> str:
    """The packaged table: rows one a line, so that a change can be read."""
    head = {
        "format": FORMAT,
        "command": command,
        "program_version": PROGRAM_VERSION,
        "worlds": [[world.name, world.digest] for world in worlds],
        "real": [[each.name, each.sha256] for each in sets],
        "models": [[each.labels, each.model.digest] for each in learned],
    }
    return _lines(head, book.document())


def _lines(head: dict[str, Any], parts_of_rows: dict[str, Any]) -> str:
    parts = [f'"{name}": {json.dumps(value)}' for name, value in head.items()]
    for name, rows in parts_of_rows.items():
        lines = ",\n".join(json.dumps(row) for row in rows)
        parts.append(f'"{name}": [\n{lines}\n]')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _write(out: Path, name: str, text: str) -> None:
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _told(found: list[Target], *, check: bool) -> int:
    """Print targets; the exit code."""
    for each in found:
        print(f"{each.word:<11}  {each.what}: {each.figure}")
    return 5 if check and any(each.reached is False for each in found) else 0


def _only_roles(out: Path, worlds: list[World], command: str) -> list[Target]:
    book = Book()
    model, matrices = _measure_roles(worlds, book)
    table, page = out / _TABLE, out / _PAGE
    _write(out, _ROLE_MODEL, model)
    _write(out, _TABLE, _put_rows(table.read_text("utf-8"), book))
    _write(out, _PAGE, put_roles(page.read_text("utf-8"), roles_section(book, matrices, worlds, command)))
    return list(role_targets(book))


def main() -> int:
    options = _options()
    scale, seeds = ("small", options.seeds[:1]) if options.quick else (options.scale, options.seeds)
    command = f"python accuracy/run.py --scale {scale} --seeds {' '.join(map(str, seeds))}"
    options.work.mkdir(parents=True, exist_ok=True)
    worlds = worlds_of(options.work, scale, seeds)
    of_roles = worlds if scale == "small" else [*worlds, *worlds_of(options.work, "small", _SMALL_SEEDS)]
    if options.only:
        return _told(_only_roles(options.out, of_roles, f"{command} --only roles"), check=options.check)
    models = options.out / "accuracy" / "models"
    for old in models.glob("*.npz"):
        old.unlink()
    book, learned, sets = _measure(worlds, options.real, models, _QUICK if options.quick else Shape())
    role_model, matrices = _measure_roles(of_roles, book)
    found = targets(book, learned)
    section = roles_section(book, matrices, of_roles, f"{command} --only roles")
    page = put_roles(accuracy_page(book, worlds, sets, learned, found, command), section)
    _write(options.out, _TABLE, _table(book, worlds, sets, learned, command))
    _write(options.out, _ROLE_MODEL, role_model)
    _write(options.out, _PAGE, page)
    panels = {f"Model: {each.labels}": each.tests[f"{HOLDOUT}, {INDEPENDENT}"].curves for each in learned}
    _write(options.out, "docs/images/change-model-roc.svg", draw(panels))
    method = options.out / "docs" / "methods" / "change-model.md"
    if method.exists():
        method.write_text(put_section(method.read_text("utf-8"), model_section(learned, command)), encoding="utf-8")
    return _told(found, check=options.check)


if __name__ == "__main__":
    sys.exit(main())
