//! Rejections of the rules as answers: the one table for the aggregates that the API commands.

use domain::{
    email, organization, person, rule, session, tenant, text::Invalid, ticket, ticket_field, upload, webhook,
};

use super::claim;
use crate::{problem::ApiError, read::log};

fn invalid(field: &str, takes: &str) -> ApiError {
    ApiError::invalid(field, format!("{field}: takes {takes}"), "InvalidValue")
}

impl From<ticket::Rejection> for ApiError {
    fn from(rejection: ticket::Rejection) -> Self {
        use ticket::Rejection as R;
        match &rejection {
            R::Invalid { field, takes } => invalid(field, takes),
            // Whether a ticket exists is a secret to those who may not see it.
            R::Unknown | R::NotYours => Self::not_found(),
            R::Closed => Self::invalid("status", "status: closed prevents ticket update", "InvalidValue"),
            R::AgentsOnly { .. } | R::AgentsDelete | R::AdminsImport => Self::forbidden(rejection.to_string()),
            R::Field { field, takes } => {
                let field = format!("custom_fields.{field}");
                Self::invalid(field.clone(), format!("{field}: takes {takes}"), "InvalidValue")
            }
            R::NoIncident => Self::invalid("problem_id", rejection.to_string(), "InvalidValue"),
            R::NeverNewAgain => Self::invalid("status", rejection.to_string(), "InvalidValue"),
            R::NeedsAssignee => Self::invalid("assignee_id", rejection.to_string(), "BlankValue"),
            R::AlreadyExists => Self::internal(rejection),
        }
    }
}

impl From<person::Rejection> for ApiError {
    fn from(rejection: person::Rejection) -> Self {
        use person::Rejection as R;
        match &rejection {
            R::Invalid { field, takes } => invalid(field, takes),
            R::Unknown | R::UnknownToken | R::UnknownMembership | R::UnknownIdentity => Self::not_found(),
            R::MemberAlready { field } => Self::invalid(*field, rejection.to_string(), "DuplicateValue"),
            R::NoMember { field } => Self::invalid(*field, rejection.to_string(), "InvalidValue"),
            R::IdentityExists => Self::invalid("value", rejection.to_string(), "DuplicateValue"),
            R::Auditor => Self::forbidden(rejection.to_string()),
            R::AlreadyExists | R::TokenExists => Self::internal(rejection),
        }
    }
}

impl From<email::Rejection> for ApiError {
    fn from(rejection: email::Rejection) -> Self {
        Self::invalid("email", rejection.to_string(), "DuplicateValue")
    }
}

impl From<tenant::Rejection> for ApiError {
    fn from(rejection: tenant::Rejection) -> Self {
        use tenant::Rejection as R;
        match &rejection {
            R::Invalid { field, takes } => invalid(field, takes),
            R::Unknown | R::UnknownGroup => Self::not_found(),
            R::GroupNameTaken => Self::invalid("name", "name: has already been taken", "DuplicateValue"),
            R::AlreadyExists | R::DishonestDecision | R::GroupExists => Self::internal(rejection),
        }
    }
}

impl From<ticket_field::Rejection> for ApiError {
    fn from(rejection: ticket_field::Rejection) -> Self {
        use ticket_field::Rejection as R;
        match &rejection {
            R::Invalid { field, takes } => invalid(field, takes),
            R::Unknown => Self::not_found(),
            R::AlreadyExists => Self::internal(rejection),
        }
    }
}

impl From<rule::Rejection> for ApiError {
    fn from(rejection: rule::Rejection) -> Self {
        use rule::Rejection as R;
        match &rejection {
            R::Invalid { field, takes } => invalid(field, takes),
            R::Unknown => Self::not_found(),
            R::AdminsOnly => Self::forbidden(rejection.to_string()),
            R::AlreadyExists => Self::internal(rejection),
        }
    }
}

impl From<webhook::Rejection> for ApiError {
    fn from(rejection: webhook::Rejection) -> Self {
        use webhook::Rejection as R;
        match &rejection {
            R::Invalid { field, takes } => invalid(field, takes),
            R::Unknown => Self::not_found(),
            R::AlreadyExists => Self::internal(rejection),
        }
    }
}

impl From<session::Rejection> for ApiError {
    fn from(rejection: session::Rejection) -> Self {
        match rejection {
            session::Rejection::Unknown => Self::not_found(),
            session::Rejection::AlreadyExists => Self::internal(rejection),
        }
    }
}

impl From<organization::Rejection> for ApiError {
    fn from(rejection: organization::Rejection) -> Self {
        use organization::Rejection as R;
        match &rejection {
            R::Invalid { field, takes } => invalid(field, takes),
            R::Unknown => Self::not_found(),
            R::AlreadyExists => Self::internal(rejection),
        }
    }
}

impl From<upload::Rejection> for ApiError {
    fn from(rejection: upload::Rejection) -> Self {
        match &rejection {
            upload::Rejection::Invalid { field, takes } => invalid(field, takes),
            upload::Rejection::NotClaimable => claim::refused(),
            upload::Rejection::AlreadyExists => Self::internal(rejection),
        }
    }
}

impl From<Invalid> for ApiError {
    fn from(Invalid { field, takes }: Invalid) -> Self {
        invalid(field, &takes)
    }
}

impl From<log::Error> for ApiError {
    fn from(error: log::Error) -> Self {
        match error {
            log::Error::Begin(error) => error.into(),
            log::Error::Read(error) => error.into(),
            log::Error::Open(error) => error.into(),
            log::Error::Decode { .. } => Self::internal(error),
        }
    }
}
