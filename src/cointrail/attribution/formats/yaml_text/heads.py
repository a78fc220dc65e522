"""Headers of packs: what a pack says of itself."""

from collections.abc import Iterable, Mapping
from typing import Final, TextIO

from cointrail.attribution.formats.yaml_text.document import Field, YamlFile
from cointrail.attribution.formats.yaml_text.fields import OWN_FIELDS, Kind, Unfit, read_text
from cointrail.attribution.formats.yaml_text.scalars import Value
from cointrail.attribution.formats.yaml_text.writer import line
from cointrail.attribution.tag import Pack

HEADER_FIELDS: Final = ("title", "creator", "description", "owner", "is_public")
MANDATORY: Final = ("title", "creator")

MOST_NAMED: Final = 20
"""Fields that are counted under their names when they are left out; a file of strangers may have any number."""

_NESTED: Final = "header"


def flat_head(file: YamlFile, fields: Mapping[str, Field], list_name: str) -> dict[str, Field]:
    """The header without the list; one that stands in a mapping `header` is laid out flat, as GraphSense does.

    Raises:
        InputRefused: it lacks the list, the title or the creator; with the line.
    """
    flat = {name: field for name, field in fields.items() if name != _NESTED}
    nested = fields.get(_NESTED)
    if nested is not None:
        if not isinstance(nested.value, dict):
            raise file.refused(nested.line, "`header` is no mapping", "write its fields at the top of the file")
        flat |= {name: Field(value, nested.line) for name, value in nested.value.items()}
    if list_name not in fields or (nested and isinstance(nested.value, dict) and list_name in nested.value):
        other = {"tags": "actors", "actors": "tags"}[list_name]
        instead = f"; it has a list `{other}`" if other in fields else ""
        raise file.refused(1, f"it has no list `{list_name}`{instead}", f"write `{list_name}:` and then the entries")
    del flat[list_name]
    for name in MANDATORY:
        if name not in flat:
            raise file.refused(1, f"the header has no {name}", f"add `{name}: ...` at the top of the file")
        try:
            read_text(name, flat[name].value)
        except Unfit as error:
            raise file.refused(flat[name].line, f"{error}", error.hint) from error
    return flat


def write_head(
    pack: Pack, header: dict[str, Value], file: TextIO, *, own_fields: bool, kinds: Mapping[str, Kind]
) -> dict[str, int]:
    """Write a header; fields that are left out are taken out of it.

    Args:
        pack: of which it is the header.
        header: its fields as they are to be written.
        file: opened for text.
        own_fields: whether to write fields that GraphSense does not know.
        kinds: the fields that entries have: GraphSense knows them in headers too.

    Returns:
        How many headers, one or none, lost which field, by reason.
    """
    unknown = [name for name in header if name not in HEADER_FIELDS and (name not in kinds or name in OWN_FIELDS)]
    left_out: dict[str, int] = {}
    if unknown and not own_fields:
        count_lost(left_out, "header's", unknown)
        for name in unknown:
            del header[name]
    made_up = {"title": pack.name, "creator": f"made from a file in the format {pack.format}"}
    for name, value in {**{name: made_up[name] for name in MANDATORY if name not in header}, **header}.items():
        file.write(f"{line(name, value)}\n")
    return left_out


def count_lost(left_out: dict[str, int], what: str, fields: Iterable[str]) -> None:
    """Count an entry under each of its fields that was left out because GraphSense does not know it.

    Args:
        left_out: how many, by reason; counted in it.
        what: whose the fields are: `tags'`.
        fields: names; those beyond `MOST_NAMED` are counted together, once for each entry.
    """
    counted = set()
    for name in fields:
        named, other = (f"{what} {each}, which GraphSense does not know" for each in (name, "other fields"))
        reason = named if named in left_out or len(left_out) < MOST_NAMED else other
        if reason not in counted:
            counted.add(reason)
            left_out[reason] = left_out.get(reason, 0) + 1
