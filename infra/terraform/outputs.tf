output "buckets" {
  description = "Each region's bucket."
  value       = { for id, region in module.region : id => region.bucket }
}

output "users" {
  description = "Each region's users by role. Make their access keys apart, so that no secret stands in the state."
  value       = { for id, region in module.region : id => region.users }
}
