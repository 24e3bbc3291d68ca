-- Health of an Application as its parent sees it: what a sync wave waits for.
-- Argo CD's own suggestion copies the child's health. That verdict may be old, and since 3.4 objects that could not be
-- applied do not lower it; so the child must also be compared with what its spec says now, in sync, and at rest.
local waiting = {status = "Progressing", message = "not compared yet"}
local status = obj.status
if status == nil or status.sync == nil or status.health == nil or status.health.status == nil then
  return waiting
end
local operation = status.operationState
if operation ~= nil and operation.phase == "Running" then
  -- What is being made may be Degraded for a moment, such as a CRD; that would end the parent's sync.
  waiting.message = "its sync is under way"
  return waiting
end
local health = {status = status.health.status, message = status.health.message or ""}
if health.status ~= "Healthy" then
  return health
end
local wanted = obj.spec.source
local compared = status.sync.comparedTo
if wanted ~= nil and compared ~= nil and compared.source ~= nil then
  for _, field in ipairs({"repoURL", "path", "targetRevision"}) do
    if wanted[field] ~= compared.source[field] then
      waiting.message = field .. " has changed and is not compared yet"
      return waiting
    end
  end
end
if status.sync.status ~= "Synced" then
  waiting.message = "healthy, but " .. tostring(status.sync.status)
  return waiting
end
if operation ~= nil and operation.phase ~= nil and operation.phase ~= "Succeeded" then
  waiting.message = "the last sync is " .. operation.phase
  return waiting
end
return health
