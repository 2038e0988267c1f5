//! Values that events carry: plans, roles, states. Their words are the ones of the API.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The words a client may send, for error messages.
            pub const TAKES: &'static str = words!(@list $($word)+);
            /// The word of the API.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $word),+ } }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or(UnknownWord { takes: Self::TAKES })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { formatter.write_str(self.as_str()) }
        }
    )*};
    (@list $first:literal $($rest:literal)*) => { concat!($first $(, ", ", $rest)*) };
}

/// A word outside the list it must come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("takes one of {takes}")]
pub struct UnknownWord {
    /// The words that are taken.
    pub takes: &'static str,
}

words! {
    /// By what somebody came in.
    Means {
        /// An address and its password, over HTTP basic authentication.
        Password = "password",
        /// An address and an API token, over HTTP basic authentication.
        BasicToken = "basic_token",
        /// An API token as a bearer token.
        BearerToken = "bearer_token",
        /// A session of somebody who signed in on a page.
        Session = "session",
        /// An address that opens one thing to whoever holds it.
        Link = "link",
        /// The command line of whoever runs the region.
        CommandLine = "command_line",
        /// A file that whoever runs the region has put there, and that a program took up when it started.
        Configuration = "configuration",
        /// A form on a page, before anybody proved who they are: signing up, signing in.
        Page = "page",
        /// The product itself.
        System = "system",
    }
    /// What was done to a thing, for the audit log.
    AuditAction {
        /// It was made.
        Create = "create",
        /// It was changed.
        Update = "update",
        /// It was taken away.
        Destroy = "destroy",
        /// It left as a file.
        Exported = "exported",
        /// Whoever runs the region looked at it.
        Accessed = "accessed",
        /// Somebody proved by password to be who they say.
        Login = "login",
        /// Somebody who came in its name did not prove it.
        LoginFailed = "login_failed",
    }
    /// What kind of thing it was done to.
    AuditSource {
        /// The tenant itself.
        Account = "account",
        /// A person.
        User = "user",
        /// An API token.
        ApiToken = "apitoken",
        /// An auditor's grant.
        AuditorGrant = "auditor_grant",
        /// A group of agents.
        Group = "group",
        /// An organization.
        Organization = "organization",
        /// A ticket, as a whole.
        Ticket = "ticket",
        /// A field that the tenant made for its tickets.
        TicketField = "ticket_field",
        /// A view or a macro.
        Rule = "rule",
        /// A server outside that is told what happens.
        Webhook = "webhook",
        /// That somebody is signed in on a page.
        Session = "session",
        /// The audit log.
        AuditLog = "audit_log",
        /// The history of everything that happened.
        History = "history",
        /// What the region signs the history with.
        SigningKey = "signing_key",
        /// Who may choose where its data lives, how long things are kept, and what may leave that place.
        HostingPolicy = "hosting_policy",
    }
    /// What a read was of.
    ReadKind {
        /// Tickets, with their comments and their histories.
        Ticket = "ticket",
        /// People's profiles.
        User = "user",
        /// Groups of agents.
        Group = "group",
        /// Organizations.
        Organization = "organization",
        /// Who belongs to which group or organization.
        Membership = "membership",
        /// Files.
        Attachment = "attachment",
        /// Views and macros: what they say, not the tickets that they find.
        Rule = "rule",
        /// Webhooks: their secrets, and what was sent to whom.
        Webhook = "webhook",
        /// API tokens, without their secrets.
        ApiToken = "api_token",
        /// Where people are signed in.
        Session = "session",
        /// Auditors' grants, without their secrets.
        AuditorGrant = "auditor_grant",
        /// The log of everything that happened.
        Event = "event",
        /// The access log.
        AccessLog = "access_log",
        /// The audit log.
        AuditLog = "audit_log",
        /// The archive, sealed.
        Archive = "archive",
        /// What the table of routes does not know.
        Other = "other",
    }
    /// What a tenant pays for; decides whether it may choose its locality.
    Plan {
        /// Free for a while.
        Trial = "trial",
        /// The smallest paid plan.
        Team = "team",
        /// More of everything, no locality choice.
        Growth = "growth",
        /// The first plan with a locality choice.
        Professional = "professional",
        /// Everything.
        Enterprise = "enterprise",
    }
    /// What a person may do.
    Role {
        /// Opens tickets and sees only those.
        EndUser = "end-user",
        /// Works on all tickets.
        Agent = "agent",
        /// An agent who also administers the tenant.
        Admin = "admin",
        /// Reads, for a while, what an admin granted; writes nothing.
        Auditor = "auditor",
    }
    /// What a profile tells besides name, address and role.
    PersonDetail {
        /// A telephone number, as somebody wrote it.
        Phone = "phone",
        /// Another name, shown to end users instead of an agent's own.
        Alias = "alias",
        /// What is worth knowing, an address for one.
        Details = "details",
        /// What agents note about the person.
        Notes = "notes",
        /// What an agent's mails end with.
        Signature = "signature",
        /// The id the person has elsewhere.
        ExternalId = "external_id",
        /// Where the clock is, by the name the API has for it.
        TimeZone = "time_zone",
        /// Which language.
        Locale = "locale",
    }
    /// By what a person is reached and known.
    IdentityKind {
        /// An address.
        Email = "email",
        /// A telephone number.
        PhoneNumber = "phone_number",
    }
    /// What an organization tells besides its name.
    OrganizationDetail {
        /// What is worth knowing, an address for one.
        Details = "details",
        /// What agents note about it.
        Notes = "notes",
        /// The id it has elsewhere.
        ExternalId = "external_id",
    }
    /// Where a ticket is in its life.
    Status {
        /// Nobody has answered yet.
        New = "new",
        /// In work.
        Open = "open",
        /// Waiting for the requester.
        Pending = "pending",
        /// Waiting for a third party.
        Hold = "hold",
        /// Answered; may be reopened.
        Solved = "solved",
        /// Final.
        Closed = "closed",
    }
    /// How urgent a ticket is.
    Priority {
        /// Whenever.
        Low = "low",
        /// As usual.
        Normal = "normal",
        /// Before others.
        High = "high",
        /// Now.
        Urgent = "urgent",
    }
    /// What a ticket is about.
    TicketType {
        /// The cause of incidents.
        Problem = "problem",
        /// One occurrence.
        Incident = "incident",
        /// Somebody wants to know.
        Question = "question",
        /// Somebody has to do something.
        Task = "task",
    }
    /// Where a ticket or comment came in.
    Channel {
        /// The API.
        Api = "api",
        /// A page.
        Web = "web",
        /// Mail.
        Email = "email",
    }
    /// Who may read a comment.
    Visibility {
        /// The requester too.
        Public = "public",
        /// Agents only.
        Internal = "internal",
    }
    /// What the values of a field that a tenant made are.
    FieldKind {
        /// A line.
        Text = "text",
        /// Lines.
        Textarea = "textarea",
        /// Checked or not; a tag of the ticket where it is.
        Checkbox = "checkbox",
        /// A day.
        Date = "date",
        /// A whole number.
        Integer = "integer",
        /// Any number.
        Decimal = "decimal",
        /// A line that matches an expression.
        Regexp = "regexp",
        /// One of what there is to choose from; a tag of the ticket.
        Tagger = "tagger",
        /// Several of what there is to choose from; tags of the ticket.
        Multiselect = "multiselect",
    }
    /// What a rule is for.
    RuleKind {
        /// It shows some of the tickets.
        View = "view",
        /// It changes a ticket as somebody would, when they say so.
        Macro = "macro",
        /// It changes a ticket by itself, when somebody opens or changes one.
        Trigger = "trigger",
        /// It changes tickets by itself, when time has gone by.
        Automation = "automation",
    }
    /// With which method a webhook tells.
    WebhookMethod {
        /// As the tellings of events are sent.
        Post = "POST",
    }
    /// In which form a webhook tells.
    WebhookRequestFormat {
        /// As the tellings of events are written.
        Json = "json",
    }
    /// By what a webhook says who it is.
    WebhookAuthentication {
        /// A name and a password, over HTTP basic authentication.
        BasicAuth = "basic_auth",
        /// A token.
        BearerToken = "bearer_token",
        /// A header that holds a key.
        ApiKey = "api_key",
    }
    /// In which order things are sorted.
    SortOrder {
        /// From the least.
        Ascending = "asc",
        /// From the greatest.
        Descending = "desc",
    }
    /// What a job does to each of its items.
    JobKind {
        /// Opens a ticket.
        CreateTickets = "create_tickets",
        /// Changes a ticket.
        UpdateTickets = "update_tickets",
        /// Puts a ticket away.
        DeleteTickets = "delete_tickets",
        /// Opens a ticket that happened elsewhere.
        ImportTickets = "import_tickets",
        /// Merges tickets into one: all of them is one item.
        MergeTickets = "merge_tickets",
        /// Solves an incident of a problem that was solved.
        SolveIncidents = "solve_incidents",
        /// Puts a ticket away and suspends its requester.
        MarkTicketsAsSpam = "mark_tickets_as_spam",
    }
    /// Why keys are destroyed.
    ErasureReason {
        /// A person was erased.
        PersonErased = "person_erased",
        /// A ticket was erased, with its comments and files.
        TicketErased = "ticket_erased",
        /// A comment was redacted.
        CommentRedacted = "comment_redacted",
        /// A file was redacted.
        AttachmentRedacted = "attachment_redacted",
        /// An organization was deleted.
        OrganizationDeleted = "organization_deleted",
        /// Entries of the access log were kept as long as the policy says.
        AccessLogExpired = "access_log_expired",
        /// A job was finished; what was asked of it is not needed any more.
        JobFinished = "job_finished",
        /// A webhook was deleted, with what it proved itself with.
        WebhookDeleted = "webhook_deleted",
    }
}
