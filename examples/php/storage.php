<?php

declare(strict_types=1);

// A file for each user, for the example. Yours are in a database.

/** Changes the notifications of a user, or only reads them. They are oldest first, and their ids grow. */
function notifications(string $user, ?callable $change = null): array
{
    $folder = getenv('DATA_DIR') ?: __DIR__ . '/data';
    if (!is_dir($folder)) mkdir($folder);
    $file = fopen("$folder/" . channelOf($user) . '.json', 'c+');
    flock($file, LOCK_EX);
    $stored = json_decode(stream_get_contents($file) ?: '[]', true, flags: JSON_THROW_ON_ERROR);
    if ($change !== null) {
        $stored = $change($stored);
        rewind($file);
        ftruncate($file, 0);
        fwrite($file, json_encode($stored, JSON_THROW_ON_ERROR));
    }
    fclose($file);
    return $stored;
}

/** Stores a notification, then publishes it. */
function notify(string $user, string $text): void
{
    $stored = notifications($user, function (array $before) use ($text) {
        $id = ($before === [] ? 0 : end($before)['id']) + 1;
        return array_slice([...$before, ['type' => 'notification', 'id' => $id, 'text' => $text]], -100);
    });
    publish(channelOf($user), end($stored));
}

/** The channel of a user. In a name of hexadecimal digits, nothing needs to be encoded. */
function channelOf(string $user): string
{
    return 'user-' . substr(hash('sha256', $user), 0, 32);
}
