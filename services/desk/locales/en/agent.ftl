# The desk of those who work on tickets.
agent-nav = Desk
agent-nav-views = Views
agent-nav-new = New ticket

agent-views = Views
agent-views-tickets = { $n ->
    [one] ticket
   *[other] tickets
}
agent-views-count = { $n ->
    [one] { $number } ticket
   *[other] { $number } tickets
}
agent-views-empty = There are no tickets in this view.
agent-view-mine = Your unsolved tickets
agent-view-unassigned = Unassigned
agent-view-unsolved = All unsolved
agent-view-solved = Recently solved
agent-pages = Pages
agent-pages-previous = Previous page
agent-pages-next = Next page

agent-column-number = Number
agent-column-submitter = Submitter
agent-column-created = Requested
agent-column-updated = Updated

agent-field-subject = Subject
agent-field-status = Status
agent-field-priority = Priority
agent-field-type = Type
agent-field-requester = Requester
agent-field-assignee = Assignee
agent-field-group = Group
agent-field-tags = Tags
agent-field-ccs = Copies to
agent-field-followers = Followers
agent-field-due = Due
agent-field-problem = Problem
agent-field-external = External id
agent-field-recipient = Received at
agent-field-comment = Comment
agent-field-files = Files
agent-fields = Properties
agent-faults = This needs another look

agent-status-new = New
agent-status-open = Open
agent-status-pending = Pending
agent-status-hold = On hold
agent-status-solved = Solved
agent-status-closed = Closed
agent-priority-low = Low
agent-priority-normal = Normal
agent-priority-high = High
agent-priority-urgent = Urgent
agent-type-question = Question
agent-type-incident = Incident
agent-type-problem = Problem
agent-type-task = Task

agent-new-title = New ticket
agent-new-requester = Requester’s e-mail address
agent-new-requester-hint = Nobody yet? They are made known with this ticket. Leave it empty to open the ticket for yourself.
agent-new-name = Requester’s name
agent-new-submit = Open ticket
agent-said = Who reads it
agent-said-reply = Public: the requester reads it
agent-said-note = Internal note: only agents read it

agent-answer = Answer
agent-send = Save
agent-send-anyway = Save on top of the newer state
agent-macro = Macro
agent-macro-apply = Fill in
agent-macro-filled = The macro is filled in. Nothing is saved yet.
agent-conflict = Somebody else was faster, so nothing was saved
agent-conflict-kept = Your draft is still here. Fields that you did not touch now show the newer state; what was said meanwhile is below.
agent-conflict-changed = Changed meanwhile:
agent-closed = This ticket is closed. It changes no more.
agent-thread = Conversation, newest first
agent-thread-newest = Back to the newest
agent-thread-older = Older entries
agent-note = Internal note
agent-system = Domicile
agent-change-to = is now
agent-change-nothing = nothing
agent-change-rule = by the trigger

agent-history = History
agent-history-title = History of ticket #{ $id }
agent-history-step = Event { $version } of { $last }
agent-history-previous = Previous
agent-history-next = Next
agent-history-show = Show
agent-history-then = The ticket as of
agent-history-not-there = After this event there is no ticket to show.
agent-history-events = Events
agent-history-position = Position { $position } of the log.
agent-history-proof = Download the proof of this event
agent-history-no-proof = Admins and auditors may download its proof.
agent-history-comments = { $n ->
    [one] { $n } comment
   *[other] { $n } comments
}
agent-event-opened = The ticket was opened
agent-event-comment = Something was said
agent-event-changed = Something was changed
agent-event-rule = A trigger began to act
agent-event-imported = The ticket was imported
agent-event-followup = It follows up another ticket
agent-event-deleted = The ticket was deleted
agent-event-restored = The ticket was restored
agent-event-erased = The ticket was erased
agent-event-gone = What happened was erased

agent-search = Search
agent-search-hint = Words, or questions such as
agent-search-nothing = Nothing was found.
agent-search-count = { $n ->
    [one] { $number } result
   *[other] { $number } results
}
agent-search-tickets = Tickets
agent-search-people = People
agent-organizations = Organizations
agent-details = Details
agent-notes = Notes
agent-person-role = Role
agent-person-reached = Reached by
agent-person-phone = Phone
agent-person-since = Known since
agent-person-requested = Requested tickets
agent-person-assigned = Assigned tickets
agent-organization-domains = Domains
agent-organization-people = People
agent-organization-tickets = Tickets
agent-role-admin = Admin
agent-role-agent = Agent
agent-role-auditor = Auditor
agent-role-end-user = End user
agent-views-empty-here = None.
agent-field-into = Goes on in ticket
agent-merge = Merge
agent-merge-title = Merge ticket #{ $id } into another one
agent-merge-hint = The number of the ticket that goes on. This one is closed for good, and its requester gets copies of the other one’s mails.
agent-merge-target = Note on the ticket that goes on
agent-merge-source = Note on this ticket
agent-merge-into-said = Ticket #{ $id } was closed and goes on here.
agent-merge-from-said = This ticket was closed and goes on in another one.

agent-saved = Saved.
agent-draft-restored = Your draft that was not sent is here again.
agent-live-moved = This ticket has changed. What is new stands below; your draft is untouched.
agent-live-looking = { $name } is looking at this ticket.
agent-live-typing = { $name } is typing.
agent-keys = Keys
agent-close = Close
agent-key-step = Next, previous
agent-key-open = Open what is marked
agent-key-reply = Answer publicly
agent-key-note = Write a note
agent-key-keys = This list
