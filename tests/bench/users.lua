-- Licensed under the Apache License, Version 2.0; see LICENSE.
-- For wrk: each request names a user in X-User. Arguments: pattern, active, total, seed.
--   uniform   any of the active users
--   zipf      the k-th most eager of them comes with a probability of log(1 + 1/k) / log(active + 1), which
--             is nearly 1/k (Zipf's law with exponent 1)
--   sequence  one after the other from the seed on, so that nobody comes twice before all the others
--   mix       of 100 requests 90 from a hundred users who are let in, 4 from any other, 3 from people whose
--             subscription has ended, 3 from people nobody knows
-- Neighbours in a pattern are far apart in the table: the step is a prime.
local STEP = 7919
local pattern, active, total, number
local random, floor = math.random, math.floor

function init(args)
    pattern, active, total = args[1], tonumber(args[2]), tonumber(args[3])
    number = tonumber(args[4])
    math.randomseed(number)
end

local patterns = {}

local function name(k)
    return "user" .. string.format("%d", (k * STEP) % total)
end

function patterns.uniform()
    return name(random(0, active - 1))
end

function patterns.zipf()
    return name(floor((active + 1) ^ random()) - 1)
end

function patterns.sequence()
    number = number + 1
    return name(number % active)
end

function patterns.mix()
    local dice = random(100)
    if dice <= 90 then
        return name(random(0, 99))
    elseif dice <= 94 then
        return name(random(0, active - 1))
    elseif dice <= 97 then
        return "gone" .. random(0, floor(total / 10) - 1)
    end
    return "nobody" .. random(0, 1000000)
end

function request()
    wrk.headers["X-User"] = patterns[pattern]()
    return wrk.format()
end
