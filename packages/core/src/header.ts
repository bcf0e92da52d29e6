/** A header is bytes, and fetch takes no other characters. Text goes as UTF-8, as the browser's own EventSource sends it. */
export const utf8Header = (text: string): string => String.fromCharCode(...new TextEncoder().encode(text))
