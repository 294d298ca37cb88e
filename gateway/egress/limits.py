"""How much is enough: the bounds that no peer and no mistake can move."""

MAX_HEAD_BYTES = 65536  # of an answer
MAX_HEADERS = 256
MAX_INTERIM = 32  # answers with a status of 1xx before the real one
MAX_IDLE = 256  # connections kept over all origins
MAX_URL = 8192
MAX_TARGETS = 4096  # URLs remembered in their parsed form
IDLE_SECONDS = 20.0
AGE_SECONDS = 60.0  # a name that points elsewhere is followed within this time
PIECE_SECONDS = 30.0  # how long a streamed body may stand still
MAX_HELD = 262144  # bytes of a streamed body that nobody has read yet; above, the peer has to wait
