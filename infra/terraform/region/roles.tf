locals {
  # The documents that the embedded endpoint judges by and the tests try, filled for this region.
  documents = {
    for name in ["owner", "desk", "replicator", "reader", "auditor", "bucket"] :
    name => replace(replace(replace(file("${path.module}/../../policies/${name}.json"),
      "BUCKET", var.bucket),
      "DAYS", tostring(var.lock.days)),
    "MODE", upper(var.lock.mode))
  }

  # The owner is whoever applies this: it gets no user here.
  roles = toset(["desk", "replicator", "reader"])
}

resource "aws_iam_user" "role" {
  for_each = local.roles
  name     = "${var.bucket}-${each.key}"
}

resource "aws_iam_user_policy" "role" {
  for_each = local.roles
  name     = each.key
  user     = aws_iam_user.role[each.key].name
  policy   = local.documents[each.key]
}

# The tag is what the policy reads: an auditor sees the objects of the tenant that it names.
resource "aws_iam_user" "auditor" {
  for_each = toset(var.auditors)
  name     = "${var.bucket}-auditor-${each.key}"
  tags     = { tenant = each.key }
}

resource "aws_iam_user_policy" "auditor" {
  for_each = aws_iam_user.auditor
  name     = "auditor"
  user     = each.value.name
  policy   = local.documents["auditor"]
}
