# Anmelden.
signin-title = Bei { $desk } anmelden
signin-email = E-Mail
signin-password = Passwort
signin-submit = Anmelden
signin-out = Abmelden
signin-wrong = Die E-Mail-Adresse oder das Passwort ist falsch.
signin-wait = { $minutes ->
    [one] Es gab zu viele Versuche. Versuchen Sie es in einer Minute wieder.
   *[other] Es gab zu viele Versuche. Versuchen Sie es in { $minutes } Minuten wieder.
}
security-title = Ihre Anmeldung und Sicherheit
security-sessions = Wo Sie angemeldet sind
security-sessions-none = Nirgends.
security-sessions-ended = Dort sind Sie nicht mehr angemeldet.
security-this = Dieser Browser
security-unknown = Von einer unbekannten Adresse
security-since = Angemeldet am { $moment }
security-seen = Zuletzt benutzt am { $moment }
security-end = Dort abmelden
security-end-others = Überall sonst abmelden
security-password = Ihr Passwort ändern
security-password-changed = Ihr Passwort ist geändert. Sie sind sonst nirgends mehr angemeldet.
security-old = Jetziges Passwort
security-old-wrong = Das ist nicht Ihr Passwort.
security-new = Neues Passwort
security-new-hint = 10 bis 128 Zeichen.
security-new-length = Nimmt 10 bis 128 Zeichen.
security-new-same = Nimmt ein anderes Passwort als das jetzige.
security-change = Passwort ändern
signin-account = Konto
