from django.urls import path

from . import views

urlpatterns = [
    path("", views.index, name="index"),
    path("login", views.sign_in, name="login"),
    path("logout", views.sign_out, name="logout"),
    path("notify", views.notify, name="notify"),
    path("notifications", views.notifications, name="notifications"),
    path("jobs", views.start_job, name="start_job"),
    path("jobs/<int:pk>", views.job, name="job"),
    path("may", views.may, name="may"),
]
