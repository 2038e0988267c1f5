//! What may be asked of a tenant.

use schemas::{GroupId, PersonId, Personal, RegionId, Slug, values::Plan};

use super::Operation;

/// What may be asked of a tenant.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Register it.
    Register(Register),
    /// Put it on another plan.
    ChangePlan(ChangePlan),
    /// Add a group of agents.
    AddGroup(AddGroup),
    /// Change one.
    ChangeGroup(ChangeGroup),
    /// Put one away, for good.
    DeleteGroup(GroupId),
    /// Take note that an admin is one no longer.
    WithdrawAdmin(WithdrawAdmin),
    /// Take note of what the region's operator did.
    Note(Operation),
}

/// Registers a tenant: a signup.
#[derive(Debug, Clone, PartialEq)]
pub struct Register {
    /// The name in its address. Made by [`crate::text::slug`], which knows the reserved ones.
    pub slug: Slug,
    /// The company's name.
    pub company: Personal<String>,
    /// The plan.
    pub plan: Plan,
    /// What the hosting policy decided about its home.
    pub decision: Decision,
}

/// What the hosting policy decided about a tenant's home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What the tenant asked for; nothing when it left the choice to us.
    pub requested: Option<RegionId>,
    /// Where it is at home.
    pub granted: RegionId,
    /// The hosting policy's version the decision was made under.
    pub policy_version: u32,
    /// Whether the plan may choose.
    pub entitled: bool,
    /// Whether the tenant did choose.
    pub selected: bool,
    /// Whether the place is promised.
    pub committed: bool,
}

/// Puts a tenant on another plan. Its home stays where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangePlan {
    /// The plan.
    pub plan: Plan,
}

/// Takes note that an admin is one no longer. Whoever says so deletes or demotes them in the same append, and has seen another who
/// stays since this stream was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WithdrawAdmin {
    /// The person.
    pub person: PersonId,
}

/// Adds a group of agents, for all to see.
#[derive(Debug, Clone, PartialEq)]
pub struct AddGroup {
    /// The group.
    pub group: GroupId,
    /// Its name.
    pub name: Personal<String>,
}

/// Changes a group. `None` leaves a thing as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeGroup {
    /// The group.
    pub group: GroupId,
    /// Its name.
    pub name: Option<Personal<String>>,
    /// What it is for; may be empty.
    pub description: Option<Personal<String>>,
    /// Whether all agents may see it. A private one never becomes public.
    pub is_public: Option<bool>,
    /// Whether it shall stand first; that another does, the other says.
    pub is_default: Option<bool>,
}

impl ChangeGroup {
    /// Changes nothing yet.
    pub const fn of(group: GroupId) -> Self {
        Self { group, name: None, description: None, is_public: None, is_default: None }
    }
}

impl From<Register> for Command {
    fn from(register: Register) -> Self {
        Self::Register(register)
    }
}

impl From<ChangePlan> for Command {
    fn from(change: ChangePlan) -> Self {
        Self::ChangePlan(change)
    }
}

impl From<WithdrawAdmin> for Command {
    fn from(withdraw: WithdrawAdmin) -> Self {
        Self::WithdrawAdmin(withdraw)
    }
}

impl From<Operation> for Command {
    fn from(operation: Operation) -> Self {
        Self::Note(operation)
    }
}

impl From<AddGroup> for Command {
    fn from(add: AddGroup) -> Self {
        Self::AddGroup(add)
    }
}

impl From<ChangeGroup> for Command {
    fn from(change: ChangeGroup) -> Self {
        Self::ChangeGroup(change)
    }
}
