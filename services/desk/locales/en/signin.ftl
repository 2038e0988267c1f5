# Signing in.
signin-title = Sign in to { $desk }
signin-email = E-mail
signin-password = Password
signin-submit = Sign in
signin-out = Sign out
signin-wrong = The e-mail address or the password is wrong.
signin-wait = { $minutes ->
    [one] There were too many attempts. Try again in a minute.
   *[other] There were too many attempts. Try again in { $minutes } minutes.
}
