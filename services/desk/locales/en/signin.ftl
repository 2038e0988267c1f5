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
security-title = Your sign-in and security
security-sessions = Where you are signed in
security-sessions-none = Nowhere.
security-sessions-ended = You are not signed in there any more.
security-this = This browser
security-unknown = From an unknown address
security-since = Signed in { $moment }
security-seen = Last used { $moment }
security-end = Sign out there
security-end-others = Sign out everywhere else
security-password = Change your password
security-password-changed = Your password is changed. You are not signed in anywhere else any more.
security-old = Current password
security-old-wrong = This is not your password.
security-new = New password
security-new-hint = 10 to 128 characters.
security-new-length = Takes 10 to 128 characters.
security-new-same = Takes another password than the current one.
security-change = Change password
signin-account = Account
