"""Which release this is; the package and event 4 say so."""

VERSION = "0.1.0"
