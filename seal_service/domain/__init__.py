"""Ground: the rules of the regulation as frozen values and pure functions; standard library only."""
