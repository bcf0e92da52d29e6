<?php

declare(strict_types=1);

/**
 * Publishes an object as JSON. Returns whether nginx took it. If it did not, the page shows what is stored when it is
 * connected again.
 */
function publish(string $channel, array $data): bool
{
    $server = getenv('PUSH_URL') ?: 'http://127.0.0.1:9080';
    $context = stream_context_create(['http' => [
        'method' => 'POST',
        'header' => 'Content-Type: application/json',
        'content' => json_encode($data, JSON_THROW_ON_ERROR),
        'timeout' => 5,
    ]]);
    return @file_get_contents("$server/pub/" . rawurlencode($channel), false, $context) !== false;
}
