"""OFAC's `SDN.XML`: one entry a party, identity numbers with their kind; no day of listing."""

from collections.abc import Mapping
from typing import Final

from cointrail.attribution.formats.ofac_party import CURRENCY, MOST_SMALL, Listed, Party, TooMany, iso_day

_ENTRY, _NUMBER = "sdnEntry", "id"
_TEXTS: Final = frozenset({"uid", "firstName", "lastName", "program", "idType", "idNumber", "Publish_Date"})


class Basic:
    """The shape of `SDN.XML`."""

    ROOT: Final = "sdnList"

    def __init__(self) -> None:
        self.listed = Listed()
        self._party = Party("")
        self._entries = 0
        self._said: dict[str, str] = {}  # texts of the entry, and of the identity number being read
        self._line = 0

    def opened(self, path: list[str], attributes: Mapping[str, str], line: int) -> bool:
        """An element begins."""
        name = path[-1]
        if name == _ENTRY:
            self._party, self._said = Party(""), {}
            self._entries += 1
        elif name == _NUMBER:
            self._said.pop("idType", None), self._said.pop("idNumber", None)
        elif name == "idNumber":
            self._line = line
        return name in _TEXTS

    def closed(self, path: list[str], text: str) -> None:
        """An element ends."""
        name, parent = path[-1], path[-2] if len(path) > 1 else ""
        if name == _ENTRY:
            self._party.id = self._said.get("uid", "")
            self._party.name = ", ".join(filter(None, (self._said.get("lastName"), self._said.get("firstName"))))
            self.listed.keep(self._party)
        elif name == _NUMBER:
            kind = self._said.get("idType", "")
            if kind.startswith(CURRENCY):
                currency = kind.removeprefix(CURRENCY).strip()
                self.listed.add(self._party, currency, self._said.get("idNumber", ""), self._line)
        elif name == "program":
            self._party.programmes.append(text)
            if len(self._party.programmes) > MOST_SMALL:
                raise TooMany
        elif name == "Publish_Date":
            month, day, year = [*text.split("/"), "", "", ""][:3]
            self.listed.issued = iso_day(year, month, day)
        elif name in _TEXTS and parent in (_ENTRY, _NUMBER):
            self._said[name if parent == _ENTRY or name != "uid" else "id uid"] = text

    def missing(self) -> str:
        """What is missing at the end of the file."""
        return "" if self._entries else "it has no entry"
