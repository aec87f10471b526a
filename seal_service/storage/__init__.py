"""Room: the database and the documents kept beside it."""
