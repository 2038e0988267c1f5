//! Where a tenant's records lie.

use schemas::TenantId;

/// The partition of a tenant, of so many. All its records lie there, so that they stay in order and have one reader at a time.
///
/// The low half of an id is random (UUIDv7), so tenants spread evenly. The rule is part of the topic's format: every writer and
/// reader must follow the same, which is why it is not left to a client library.
///
/// # Panics
/// If there are no partitions.
pub fn partition_of(tenant: TenantId, partitions: i32) -> i32 {
    let partitions = u64::try_from(partitions).ok().filter(|&it| it > 0).expect("a topic has partitions");
    let (_, low) = tenant.get().as_u64_pair();
    i32::try_from(low % partitions).expect("less than an i32 of partitions")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_rule_never_changes() {
        let tenant: TenantId = "018f0000-0000-7000-8000-000000000abc".parse().expect("an id");
        assert_eq!([1, 2, 12, 1000].map(|partitions| partition_of(tenant, partitions)), [0, 0, 8, 556]);
    }

    proptest! {
        #[test]
        fn every_tenant_lies_in_one_of_the_partitions(id: u128, partitions in 1..1000_i32) {
            let partition = partition_of(TenantId::new(uuid::Uuid::from_u128(id)), partitions);
            prop_assert!((0..partitions).contains(&partition));
        }
    }
}
