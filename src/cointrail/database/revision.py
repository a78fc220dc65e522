"""Which migration this program needs: the name of the last one."""

from typing import Final

HEAD: Final = "0003"
