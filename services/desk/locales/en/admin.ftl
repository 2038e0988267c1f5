# The admin centre.
admin-nav = Admin centre
admin-part-desk = Desk
admin-part-safety = Safety
admin-overview = Overview
admin-people = People
admin-groups = Groups
admin-residency = Where data lives

admin-done-made = Made.
admin-done-saved = Saved.
admin-done-deleted = Deleted.
admin-yes = yes
admin-no = no
admin-save = Save
admin-save-anyway = Save on top of the newer state
admin-delete = Delete
admin-overtaken = Somebody else was faster, so nothing was saved
admin-overtaken-kept = What you typed is still here. Where something else stands by now, it says so at the field.
admin-overtaken-now = By now it is:

admin-name = Name
admin-email = E-mail
admin-description = Description
admin-active = Active

admin-people-team = Team
admin-people-end-users = End users
admin-people-all = Everybody
admin-people-sought = Name or address
admin-people-count = { $n ->
    [one] { $number } person
   *[other] { $number } people
}
admin-role-hint = Agents work on tickets. Admins change the desk itself as well.
admin-suspended = Suspended
admin-suspended-hint = Whoever is suspended cannot come in, whatever they came in with.
admin-person-new = New person
admin-person-new-lead = A colleague, or somebody who will ask for help.
admin-person-add = Add
admin-person-tickets = Profile and tickets
admin-person-no-groups = In no group yet.
admin-person-delete = Delete this person
admin-person-delete-means = They can do nothing any more from then on, and their address is free for somebody else. Their tickets stay. Whoever has open tickets of their own cannot be deleted.

admin-group-new = New group
admin-group-new-lead = Tickets are given to groups, and views can be a group’s own.
admin-group-add = Add
admin-group-private = Private
admin-group-private-hint = A private group never becomes public again.
admin-group-public = Public
admin-group-default = Stands first
admin-group-default-hint = It is the desk’s default group.
admin-group-first = First
admin-group-make-first = Make first
admin-group-leave = Take out
admin-group-another = Another group
admin-group-join = Put in
admin-group-members = Who belongs to it
admin-group-members-hint = Open a person to put them into a group or take them out.
admin-group-delete = Delete this group
admin-group-delete-means = Nobody belongs to it any more, and no ticket can be given to it. Tickets that name it go on naming it.

admin-done-issued = The token was issued already, and was shown then. Whoever did not keep it ends it and issues another one.
admin-done-ended = The token works no longer.
admin-tokens = API tokens
admin-token-new = New API token
admin-token-new-lead = A program comes in with it, and may do whatever the person may whom it speaks for.
admin-token-for = What it is for
admin-token-person = Speaks for
admin-token-person-hint = With an agent’s token a program does what agents do, and nothing more.
admin-token-since = Since
admin-token-expires = Last day
admin-token-expires-hint = Leave it empty for a token that works until somebody ends it.
admin-token-until = Until
admin-token-never = No end
admin-token-issue = Issue
admin-token-issued = The token was issued
admin-token-end = End
admin-token-over = Over
admin-token-use = Programs send it as the header
