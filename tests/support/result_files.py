"""Result files and truth tables as lists of dicts, and scores as sets of row ids."""

import csv


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path, table):
    path.unlink(missing_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, table[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


def link(source, target):
    """A folder whose files are links to another's."""
    for path in source.rglob("*"):
        if path.is_file() and "chain" not in path.parts:
            (target / path.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            (target / path.relative_to(source)).symlink_to(path)
    return target


def by_id(result):
    return {row.id: row for row in result.rows}


def failed(result):
    return {row.id for row in result.rows if row.status == "fail"}
