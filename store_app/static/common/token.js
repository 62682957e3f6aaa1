// The token that tells a form of ours from a stranger's.

/** Give this page's token. */
export const csrfToken = () => document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";
