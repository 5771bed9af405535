-- Licensed under the Apache License, Version 2.0; see LICENSE.
-- For wrk: posts the signed events of a file, each once.
local file

function init(args)
    file = assert(io.open(args[1], "rb"))
end

function request()
    local signature = file:read("*l")
    if not signature then
        if not told then
            print("events: used up")
            told = true
        end
        return wrk.format("GET", "/")
    end
    local body = file:read(tonumber(file:read("*l")))
    return wrk.format("POST", nil, {["Content-Type"] = "application/json",
                                    ["Stripe-Signature"] = signature}, body)
end
