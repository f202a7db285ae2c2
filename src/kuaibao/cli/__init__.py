"""The doors: one thin module a room; nothing here is imported before it is used."""
