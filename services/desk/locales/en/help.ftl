# The help centre: asking, following, one's own data.
help-navigation = Help centre
help-requests = Your requests
help-new = Ask something
help-data = Your data
help-none = You have not asked anything yet.
help-number = No. { $number }
help-pages = Pages
help-newest = Newest
help-older = Older
help-earlier = Show what was said before
help-mend = Please mend these fields
help-subject = Subject
help-subject-blank = Say in a few words what it is about
help-body = What happened?
help-body-hint = What you did, what you expected and what you saw instead.
help-body-blank = Write something first
help-reply = Your reply
help-solved = This is solved for me
help-send = Send
help-you = You
help-files = Files
help-is-closed = This request is closed and takes no more replies.
help-status-open = We are on it
help-status-pending = Waiting for your reply
help-status-solved = Solved
help-status-closed = Closed
help-data-where = It lies in { $region } (jurisdiction: { $jurisdiction }) and nowhere else.
help-data-name = Name
help-data-verified = verified
help-data-since = Known since
help-data-take = Take it along
help-data-take-what = Your profile, your requests and everything said in them that you may read, as JSON.
help-data-file = File { $part } of { $parts }
help-erasure = Have it erased
help-erasure-what = This asks the desk to erase what it holds about you. You are told what is erased, and what has to be kept and why.
help-erasure-ask = Ask for erasure
help-erasure-subject = Please erase the data you hold about me
help-erasure-body = I ask you to erase the personal data you hold about me (GDPR, article 17, or the law that applies to me). Please tell me what was erased, and what you have to keep and why.
help-data-requests =
    { $count ->
        [one] One request
       *[other] { $count } requests
    }
