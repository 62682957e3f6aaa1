// A form's refusal stands in the history as its page, not as the command: Back and reload ask for the page again.
// It stands there before any of the page can be pressed: no module, which waits until the page is whole.
{
  const page = document.referrer.startsWith(`${location.origin}/`) ? document.referrer : location.href;
  history.replaceState(history.state, "", page);
}
