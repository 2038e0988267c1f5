# The buckets of every region, and who may do what in them. What the regions are is in regions.auto.tfvars.json, which a test holds
# against regions/*.toml and regions/hosting-policy.toml.

module "region" {
  source   = "./region"
  for_each = var.regions

  id           = each.key
  cloud_region = each.value.cloud_region
  bucket       = each.value.bucket
  key_alias    = each.value.key_alias
  lock         = each.value.lock
  kms          = each.value.kms
  deletion     = var.deletion
  auditors     = lookup(var.auditors, each.key, [])
}
