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
