variable "id" {
  description = "The region's id."
  type        = string
}

variable "cloud_region" {
  description = "Where everything of the region lies."
  type        = string
}

variable "bucket" {
  description = "The region's one bucket."
  type        = string
}

variable "key_alias" {
  description = "The alias of the key under which objects are encrypted, where kms is true."
  type        = string
}

variable "kms" {
  description = "Whether objects are encrypted under a key of the key service."
  type        = bool
}

variable "lock" {
  description = "How firmly, and for how many days, what is written once is locked. Writes ask for it; the bucket has no default."
  type = object({
    mode = string
    days = number
  })

  validation {
    condition     = contains(["governance", "compliance"], var.lock.mode)
    error_message = "lock.mode takes governance or compliance."
  }
}

variable "deletion" {
  description = "The hosting policy's spans, in days."
  type = object({
    promise_days    = number
    keys_days       = number
    drills_days     = number
    noncurrent_days = number
    incomplete_days = number
  })

  validation {
    condition     = var.deletion.keys_days + var.deletion.noncurrent_days < var.deletion.promise_days
    error_message = "deletion.keys_days and noncurrent_days together take fewer days than promise_days."
  }
}

variable "auditors" {
  description = "The tenants, by id, that an auditor reads."
  type        = list(string)
}
