<?php

declare(strict_types=1);

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
// PHP's own server asks this script for files as well, and sends them itself if it returns false.
if (PHP_SAPI === 'cli-server' && is_file(__DIR__ . $path)) return false;

require __DIR__ . '/../push.php';
require __DIR__ . '/../storage.php';

session_set_cookie_params(['httponly' => true, 'samesite' => 'Lax']);
session_start();
$user = $_SESSION['user'] ?? null;
// The session's file is locked, and other requests of this user would wait for it.
if ($_SERVER['REQUEST_METHOD'] === 'GET') session_write_close();

function redirect(): never
{
    header('Location: /', true, 303);
    exit;
}

/** nginx asks this before it accepts a subscription. Nothing is decoded, and nothing that is encoded passes. */
function may(?string $user): int
{
    $address = $_SERVER['HTTP_X_ORIGINAL_URI'] ?? '';
    if (preg_match('~\A/sub/(user-[0-9a-f]{32})(?:\?.*)?\z~', $address, $asked) !== 1) return 403;
    if ($user === null) return 401;
    return $asked[1] === channelOf($user) ? 204 : 403;
}

header('Cache-Control: no-store');
switch ("{$_SERVER['REQUEST_METHOD']} $path") {
    case 'GET /may':
        http_response_code(may($user));
        exit;

    case 'POST /login':
        // No password, for the example.
        $name = trim($_POST['name'] ?? '');
        if ($name !== '') {
            session_regenerate_id(true);
            $_SESSION['user'] = $name;
        }
        redirect();

    case 'POST /logout':
        $_SESSION = [];
        session_destroy();
        redirect();

    case 'POST /notify':
        if ($user === null) {
            http_response_code(401);
            exit;
        }
        notify(trim($_POST['to'] ?? ''), $_POST['text'] ?? '');
        http_response_code(204);
        exit;

    case 'GET /notifications':
        http_response_code($user === null ? 401 : 200);
        header('Content-Type: application/json');
        echo json_encode($user === null ? [] : notifications($user), JSON_THROW_ON_ERROR);
        exit;

    case 'GET /':
        break;

    default:
        http_response_code(404);
        exit('Not found');
}

$html = fn (string|int $text) => htmlspecialchars((string) $text);
?>
<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Notifications</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="style.css">
<?php if ($user !== null): ?>
    <script src="/js/pushstream.min.js" defer></script>
    <script src="/js/pushstream-nchan.min.js" defer></script>
    <script src="app.js" defer></script>
<?php endif ?>
  </head>
<?php if ($user === null): ?>
  <body>
    <h1>Sign in</h1>
    <form method="post" action="/login">
      <label>Name <input name="name" autocomplete="username" required></label>
      <button type="submit">Sign in</button>
    </form>
  </body>
<?php else: ?>
  <body data-channel="<?= $html(channelOf($user)) ?>">
    <form id="logout" method="post" action="/logout"><button type="submit">Sign out</button></form>
    <h1>Notifications of <?= $html($user) ?></h1>
    <p id="status" role="status" data-state="connecting">connecting</p>
    <p id="notice" role="alert"></p>
    <form id="notify">
      <label>To <input name="to" value="<?= $html($user) ?>" autocomplete="off" required></label>
      <label>Text <input name="text" value="hello" autocomplete="off" required></label>
      <button type="submit">Notify</button>
      <span id="problem" role="alert"></span>
    </form>
    <ol id="notifications" aria-live="polite">
<?php foreach (array_reverse(notifications($user)) as ['id' => $id, 'text' => $text]): ?>
      <li data-id="<?= $html($id) ?>"><?= $html($text) ?></li>
<?php endforeach ?>
    </ol>
  </body>
<?php endif ?>
</html>
