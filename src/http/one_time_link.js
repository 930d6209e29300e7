"use strict";

// Pages that are opened with a one-time link: the form says where it is sent and what is said when that is done.
const form = document.getElementById("form");
const message = document.getElementById("message");
const button = form.querySelector("button");

// The token is in the fragment, which browsers send to no server.
const token = () => location.hash.slice(1);

if (!token()) {
  message.textContent = "Open the whole link, with the part after #.";
}

const explain = (problem) => {
  const faults = (problem.errors || []).map((fault) => `${(fault.pointer || "").slice(1)}: ${fault.message}`);
  return faults.length ? faults.join("\n") : problem.detail || problem.title;
};

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  message.textContent = "";
  try {
    const response = await fetch(form.dataset.to, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      credentials: "omit",
      body: JSON.stringify({ token: token(), ...Object.fromEntries(new FormData(form)) }),
    });
    if (response.ok) {
      form.remove();
      history.replaceState(null, "", location.pathname);
      message.textContent = form.dataset.done;
      return;
    }
    message.textContent = explain(await response.json());
  } catch {
    message.textContent = "The server cannot be reached. Try again.";
  }
  button.disabled = false;
});
