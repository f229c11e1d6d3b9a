-- An OK survives a power cut.
PRAGMA synchronous = FULL
