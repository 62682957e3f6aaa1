// A form's refusal stands in the history as its page, not as the command: Back and reload ask for the page again.
const page = document.referrer.startsWith(`${location.origin}/`) ? document.referrer : location.href;
history.replaceState(history.state, "", page);
