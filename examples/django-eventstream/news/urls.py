import django_eventstream
from django.urls import include, path

from . import views

urlpatterns = [
    path("items", views.items),
    path("publish", views.publish),
    path("events/", include(django_eventstream.urls)),
]
