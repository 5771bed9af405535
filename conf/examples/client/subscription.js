// Licensed under the Apache License, Version 2.0; see LICENSE.
// Subscription management on five routes: GET config, plans and subscription say what there is, POST
// checkout and portal answer with an address at Stripe to go to. The server decides everything; this
// page only shows it. What comes from the server becomes text, never markup.

const { prefix, login } = document.documentElement.dataset;
const LANGUAGE = document.documentElement.lang;
const HERE = location.origin + location.pathname;

const STATUS = {
  trialing: "Trial", active: "Active", past_due: "Payment overdue", unpaid: "Unpaid",
  incomplete: "Payment pending", incomplete_expired: "Payment expired", paused: "Paused",
  canceled: "Ended",
};
const BACK = {
  paid: "Thank you. Your subscription is shown below.",
  canceled: "Nothing was bought. You can choose again at any time.",
};

// Stripe counts in hundredths but for these; the list of Intl is another one.
const WHOLE = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(" ");
const THOUSANDTHS = ["bhd", "jod", "kwd", "omr", "tnd"];

const find = (selector, within = document) => within.querySelector(selector);
const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

// --- the server ------------------------------------------------------------------------------

// What went wrong, in words for people: those of the problem document where there is one.
class Problem extends Error {
  constructor(status, { title, detail, retry_after: wait } = {}) {
    super([title ?? "That did not work", detail ?? `The server answered with status ${status}`,
      wait ? `Try again in ${wait} seconds` : ""]
      .filter(Boolean).map((part) => part.replace(/[^.!?]$/, "$&.")).join(" "));
    this.loggedOut = status === 401;
  }
}

// POSTs where there is a body; JSON from a page of this site is what the server lets in. A redirect
// is the site's login page, which is for people.
async function call(route, body) {
  const headers = { Accept: "application/json", "Accept-Language": LANGUAGE };
  const options = { credentials: "include", redirect: "manual", cache: "no-store", headers };
  if (body) {
    headers["Content-Type"] = "application/json";
    Object.assign(options, { method: "POST", body: JSON.stringify(body) });
  }
  const answer = await fetch(`${prefix}/${route}`, options).catch(() => {
    throw new Problem(0, { title: "The server cannot be reached", detail: "Try again in a moment" });
  });
  const told = await answer.json().catch(() => undefined);
  if (!answer.ok || !told) {
    throw new Problem(answer.type === "opaqueredirect" ? 401 : answer.status, told);
  }
  return told;
}

// --- words -----------------------------------------------------------------------------------

const days = (count) => (count === 1 ? "1 day" : `${count} days`);
const date = (seconds) => new Date(seconds * 1000).toLocaleDateString(LANGUAGE, { dateStyle: "long" });

function priceText({ amount, currency, interval, interval_count: count }) {
  const digits = WHOLE.includes(currency) ? 0 : THOUSANDTHS.includes(currency) ? 3 : 2;
  const money = (amount / 10 ** digits).toLocaleString(LANGUAGE, {
    style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${money} ${count > 1 ? `every ${count} ${interval}s` : `per ${interval}`}`;
}

function facts({ active, status, cancel_at, trial_end, current_period_end, days_remaining }) {
  const next = cancel_at ? ["Ends on", cancel_at]
    : status === "trialing" && trial_end ? ["Trial ends on", trial_end]
    : ["Renews on", current_period_end];
  return [...(next[1] ? [[next[0], date(next[1])]] : []),
    ...(active && days_remaining > 0 ? [["Remaining", days(days_remaining)]] : [])];
}

// --- what is shown ---------------------------------------------------------------------------

// A free plan is held without a subscription: only a status says that there is or was one.
const runs = (held) => Boolean(held?.status) && !["canceled", "incomplete_expired"].includes(held.status);

function showSubscription(held, plan) {
  find("#plan-name").textContent = held.status ? plan?.name ?? "Subscription" : "No subscription";
  find("#status").textContent = held.status ? STATUS[held.status] ?? held.status
    : "Choose a plan to open everything that is for subscribers.";
  find("#facts").replaceChildren(...(runs(held) ? facts(held) : []).map(([label, value]) => {
    const pair = make("div");
    pair.append(make("dt", { textContent: label }), make("dd", { textContent: value }));
    return pair;
  }));
  find("#portal").hidden = !held.status;
  find("#subscription").hidden = false;
}

function buyButton(plan, price) {
  const text = priceText(price);
  const button = make("button", { type: "button", className: "button", value: price.id,
    textContent: text, ariaLabel: `${plan.name}, ${text}` });
  button.addEventListener("click", () => leave(button, "checkout", {
    price: price.id, success_url: `${HERE}?back=paid`, cancel_url: `${HERE}?back=canceled` }));
  return button;
}

function offers(plan, forSale) {
  if (plan.contact) {
    return [make("a", { className: "button", href: plan.contact, textContent: "Contact us",
      ariaLabel: `Contact us about ${plan.name}` })];
  }
  return plan.prices.map((price) => (forSale && price.id ? buyButton(plan, price)
    : make("p", { textContent: priceText(price) })));
}

function card(plan, own, forSale) {
  const made = find("#plan-card").content.cloneNode(true);
  find("h3", made).textContent = plan.name;
  find(".current", made).hidden = !own;
  find(".description", made).textContent = plan.description ?? "";
  find(".trial", made).textContent = plan.trial_days ? `First ${days(plan.trial_days)} free` : "";
  find(".features", made).append(...plan.features.map((textContent) => make("li", { textContent })));
  find(".offers", made).append(...offers(plan, forSale));
  return made;
}

function showProblem(problem) {
  if (!(problem instanceof Problem)) {
    throw problem;
  }
  find("#problem").textContent = `${problem.message} `;
  if (problem.loggedOut) {
    find("#problem").append(make("a", { href: login, textContent: "Log in" }));
  }
}

// --- what is done ----------------------------------------------------------------------------

// On to Stripe. The button rests meanwhile, so that a second click is no second call.
async function leave(button, route, body) {
  button.disabled = true;
  find("#problem").textContent = "";
  try {
    location.assign((await call(route, body)).url);
  } catch (problem) {
    button.disabled = false;
    showProblem(problem);
  }
}

const unlessLoggedOut = (problem) => {
  if (!problem.loggedOut) {
    throw problem;
  }
};

// Another plan of the same group is not bought beside the running one but chosen in the portal.
async function show() {
  const [{ mode }, { plans }, held] = await Promise.all([
    call("config"), call("plans"), call("subscription").catch(unlessLoggedOut)]);
  const plan = held && (plans.find(({ prices }) => prices.some(({ id }) => id && id === held.price))
    ?? plans.find((each) => each.plan === held.plan));
  const group = runs(held) ? plan?.group : undefined;

  find("#test-mode").hidden = mode === "live";
  find("#login").hidden = Boolean(held);
  find("#login a").href = login;
  if (held) {
    showSubscription(held, plan);
  }
  find("#plans ul").replaceChildren(...plans.map((each) => card(
    each, group ? each === plan : each.current, held && each.group !== group)));
  find("#plans").hidden = false;
}

find("#portal").addEventListener("click", ({ currentTarget }) =>
  leave(currentTarget, "portal", { return_url: HERE }));
// The Back button brings the page as it was left, with a resting button.
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

find("#notice").textContent = BACK[new URLSearchParams(location.search).get("back")] ?? "";
history.replaceState(null, "", location.pathname);
show().catch(showProblem);
