from django_eventstream.channelmanager import DefaultChannelManager


class Channels(DefaultChannelManager):
    """Decides who may read which channel: here, everyone may read the news, and nothing else."""

    def can_read_channel(self, user, channel):
        return channel == "news"
