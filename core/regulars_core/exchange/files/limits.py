"""How large a file and its parts may be. Beyond these it is an accident or an attack."""

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30

FILE_BYTES = 2 * GIB
COLUMNS = 1000
RECORDS = 20_000_000
CELL_CHARACTERS = 1 * MIB
LINE_CHARACTERS = 32 * MIB

# An XLSX file is a zip archive. Real sheets shrink to a tenth, seldom to a hundredth; a bomb to a thousandth.
UNPACKED_BYTES = 4 * GIB
UNPACKED_RATIO = 200
UNPACKED_FREE = 20 * MIB
ARCHIVE_ENTRIES = 10_000
MARKUP_DEPTH = 64
MARKUP_NAMES = 1000
MARKUP_TOKEN_BYTES = 8 * MIB
SMALL_PART_BYTES = 64 * MIB

XLSX_ROWS = 1_048_576
XLSX_CELL_CHARACTERS = 32_767
