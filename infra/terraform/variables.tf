variable "regions" {
  description = "Each region by its id, as its file under regions/ has it."
  type = map(object({
    cloud_region = string
    bucket       = string
    key_alias    = string
    kms          = bool
    lock = object({
      mode = string
      days = number
    })
  }))
}

variable "deletion" {
  description = "The hosting policy's promise about deletion, in days, and the spans that fit in it."
  type = object({
    promise_days    = number
    keys_days       = number
    drills_days     = number
    noncurrent_days = number
    incomplete_days = number
  })
}

variable "auditors" {
  description = "The tenants, by id, that an auditor reads in each region; each becomes a user of its own."
  type        = map(list(string))
  default     = {}
}
