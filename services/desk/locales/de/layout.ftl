# Was jede Seite umgibt.
layout-skip = Zum Inhalt springen
layout-promise = Tickets, Personen, Anhänge, Sicherungen und Prüfprotokolle eines Desks liegen in seiner Heimatregion und nirgends sonst.
layout-language = Sprache
