"use strict";

const form = document.getElementById("form");
const message = document.getElementById("message");
const button = form.querySelector("button");

// The token is in the fragment, which browsers send to no server.
const token = () => location.hash.slice(1);

if (!token()) {
  message.textContent = "Open the whole link that the server printed, with the part after #.";
}

const explain = (problem) => {
  const faults = (problem.errors || []).map((fault) => `${(fault.pointer || "").slice(1)}: ${fault.message}`);
  return faults.length ? faults.join("\n") : problem.detail || problem.title;
};

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  message.textContent = "";
  const { name, email, password } = Object.fromEntries(new FormData(form));
  try {
    const response = await fetch("/v1/setup", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      credentials: "omit",
      body: JSON.stringify({ token: token(), name, email, password }),
    });
    const answer = await response.json();
    if (response.ok) {
      form.remove();
      history.replaceState(null, "", location.pathname);
      message.textContent = `Done. ${answer.email} is the administrator and can log in.`;
      return;
    }
    message.textContent = explain(answer);
  } catch {
    message.textContent = "The server cannot be reached. Try again.";
  }
  button.disabled = false;
});
