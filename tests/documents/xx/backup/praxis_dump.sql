-- MySQL dump 10.13  Distrib 5.7.31  Database: smilecare
DROP TABLE IF EXISTS `pt`;
CREATE TABLE `pt` (`id` int NOT NULL,`lname` varchar(40),`fname` varchar(40),`bday` date,`ss4` char(4),`medalert` text);
INSERT INTO `pt` VALUES (1188,'Vandenbosch','Cynthia','1960-08-08','4410','PREMED amox 2g - prosthetic valve'),(1189,'Reyes','Mateo','2016-02-29',NULL,'asthma'),(1190,'O\'Hara','Declan','1951-11-30','0021','warfarin INR 2.7');
CREATE TABLE `txlog` (`pt` int,`dt` date,`ada` char(5),`tooth` varchar(3),`note` text);
INSERT INTO `txlog` VALUES (1188,'2024-12-02','D2740','19','PFM crown seat, occl adj'),(1189,'2024-12-02','D1351','14','sealant; cried a lot'),(1190,'2024-12-03','D7140','31','ext, 2 carp septo, surgicel, hemost ok');
