"""`make accuracy`: measure the error rates of all rules on worlds whose truth is known, and on public CoinJoins.

python accuracy/run.py [--scale standard] [--seeds 1 2 3] [--check]

Writes docs/accuracy.md, the table in the package, the models, the picture, and the figures of the model's method page.
Equal options give equal files. With --check it ends with 5 if a target is not reached.
"""

import argparse
import json
import os
import sys
from pathlib import Path

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
from targets import Target, targets
from truth import read_truth
from worlds import HOLDOUT, World, worlds_of

ROOT = Path(__file__).resolve().parent.parent
_QUICK = Shape(trees=12, depth=7)


def _options() -> argparse.Namespace:
    data = Path(os.environ.get("COINTRAIL_DATA") or ROOT.parent / "shared" / "data")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", default="small", choices=("small", "standard", "large"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="a world of each kind for each")
    parser.add_argument("--work", type=Path, default=ROOT / ".bench" / "accuracy", help="worlds, kept between runs")
    parser.add_argument("--real", type=Path, default=data / "coinjoin", help="public CoinJoins")
    parser.add_argument("--out", type=Path, default=ROOT, help="a copy of the repository's folders, to write into")
    parser.add_argument("--quick", action="store_true", help="one small seed and a small forest, for tests")
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
    parts = [f'"{name}": {json.dumps(value)}' for name, value in head.items()]
    for name, rows in book.document().items():
        lines = ",\n".join(json.dumps(row) for row in rows)
        parts.append(f'"{name}": [\n{lines}\n]')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _write(out: Path, name: str, text: str) -> None:
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _print(found: list[Target]) -> None:
    for each in found:
        print(f"{each.word:<11}  {each.what}: {each.figure}")


def main() -> int:
    options = _options()
    scale, seeds = ("small", options.seeds[:1]) if options.quick else (options.scale, options.seeds)
    command = f"python accuracy/run.py --scale {scale} --seeds {' '.join(map(str, seeds))}"
    options.work.mkdir(parents=True, exist_ok=True)
    models = options.out / "accuracy" / "models"
    worlds = worlds_of(options.work, scale, seeds)
    for old in models.glob("*.npz"):
        old.unlink()
    book, learned, sets = _measure(worlds, options.real, models, _QUICK if options.quick else Shape())
    found = targets(book, learned)
    _write(options.out, "src/cointrail/cluster/accuracy.json", _table(book, worlds, sets, learned, command))
    _write(options.out, "docs/accuracy.md", accuracy_page(book, worlds, sets, learned, found, command))
    panels = {f"Model: {each.labels}": each.tests[f"{HOLDOUT}, {INDEPENDENT}"].curves for each in learned}
    _write(options.out, "docs/images/change-model-roc.svg", draw(panels))
    method = options.out / "docs" / "methods" / "change-model.md"
    if method.exists():
        method.write_text(put_section(method.read_text("utf-8"), model_section(learned, command)), encoding="utf-8")
    _print(found)
    return 5 if options.check and any(each.reached is False for each in found) else 0


if __name__ == "__main__":
    sys.exit(main())
