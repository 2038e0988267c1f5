output "bucket" {
  description = "The region's bucket."
  value       = aws_s3_bucket.this.bucket
}

output "users" {
  description = "The name of the user of each role."
  value       = { for role, user in aws_iam_user.role : role => user.name }
}
