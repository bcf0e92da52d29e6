// What the page found when the script was loaded once.
window.before = [window.PushStream, window.PushStreamManager, Object.keys(window)]
